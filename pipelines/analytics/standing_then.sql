-- How the matching tasks stood in the evening of a day, by split value; see stood.sql.
SELECT
    t.split,
    COUNT(*) AS tasks,
    COUNT(*) FILTER (WHERE s.stood_as = 'overdue') AS overdue,
    COUNT(*) FILTER (WHERE s.stood_as = 'deferred') AS deferred,
FROM matching AS t
INNER JOIN stood AS s ON t.task_id = s.task_id
GROUP BY t.split
