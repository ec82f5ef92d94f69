-- The guards that tripped in one run, and who accepted what they held.
SELECT
    g.guard,
    g.says,
    g.runs,
    g.accepted_by,
    s.name AS accepted_by_name,
    g.accepted_reason,
FROM guards AS g
LEFT JOIN staging.staff AS s ON g.accepted_by = s.staff_id
WHERE g.run_no = $run_no
ORDER BY g.guard
