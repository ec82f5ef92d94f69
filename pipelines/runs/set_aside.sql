-- What the newest run set aside at the go-live, by rule and facility.
SELECT
    s.rule_id,
    COALESCE(r.title, s.rule_id) AS title,
    s.facility_id,
    COALESCE(f.name, s.facility_id) AS facility,
    s.tasks,
    s.oldest_on,
FROM set_aside AS s
LEFT JOIN rules AS r ON s.rule_id = r.rule_id
LEFT JOIN staging.facilities AS f ON s.facility_id = f.facility_id
ORDER BY
    COALESCE(r.title, s.rule_id),
    COALESCE(f.name, s.facility_id),
    LPAD(s.facility_id, 64, '0'),
    s.facility_id
