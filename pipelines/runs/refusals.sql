-- How many rows of one run broke which check in which column; the values are in data/rejected.
SELECT
    r.table_name,
    r.column_name,
    r.check_name,
    COUNT(*) AS refused_rows,
FROM rejected_rows AS r
WHERE r.run_no = $run_no
GROUP BY r.table_name, r.column_name, r.check_name
ORDER BY COUNT(*) DESC, r.table_name ASC, r.column_name ASC, r.check_name ASC
