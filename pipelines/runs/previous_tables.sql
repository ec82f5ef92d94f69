-- What the last run that accepted each table found in it.
SELECT
    t.table_name,
    ARG_MAX(t.rows_read, t.run_no) AS rows_read,
    -- A manifest dated in the future must not make every later extract "older than the one before".
    ARG_MAX(LEAST(t.extracted_at, r.as_of), t.run_no) AS extracted_at,
    ARG_MAX(t.rows_refused, t.run_no) AS rows_refused,
FROM previous.run_tables AS t
INNER JOIN previous.runs AS r ON t.run_no = r.run_no
WHERE t.status = 'accepted'
GROUP BY t.table_name
