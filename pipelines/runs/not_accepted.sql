-- The tables that the newest run did not accept, why, and the as_of of the run whose rows are
-- shown instead; NULL if no run ever accepted the table.
WITH accepted_runs AS (
    SELECT
        t.table_name,
        MAX(r.as_of) AS kept_from,
    FROM run_tables AS t
    INNER JOIN runs AS r ON t.run_no = r.run_no
    WHERE t.status = 'accepted'
    GROUP BY t.table_name
)

SELECT
    t.table_name,
    t.status,
    t.reason,
    a.kept_from,
FROM run_tables AS t
LEFT JOIN accepted_runs AS a ON t.table_name = a.table_name
WHERE
    t.status NOT IN ('accepted', 'absent')
    AND t.run_no = (SELECT MAX(n.run_no), FROM runs AS n)
ORDER BY t.table_name
