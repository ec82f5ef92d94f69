-- What the guards of the newest run hold, by table, or by task type and facility.
SELECT
    g.run_no,
    g.guard,
    g.kind,
    g.table_name,
    g.rule_id,
    r.title,
    g.facility_id,
    f.name AS facility,
    g.concerned,
    g.says,
    g.runs,
    g.held_from,
FROM guards AS g
LEFT JOIN rules AS r ON g.rule_id = r.rule_id
LEFT JOIN staging.facilities AS f ON g.facility_id = f.facility_id
WHERE g.run_no = (SELECT MAX(n.run_no), FROM runs AS n) AND g.accepted_by IS NULL
ORDER BY g.guard
