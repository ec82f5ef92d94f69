-- The newest run and how old the oldest extract is that it accepted; without a manifest an extract does not say how old it is.
SELECT
    r.run_no,
    r.run_id,
    r.as_of,
    MIN(t.extracted_at) FILTER (WHERE t.status = 'accepted') AS oldest_extracted_at,
    COUNT(*) FILTER (WHERE t.status = 'accepted' AND t.extracted_at IS NULL) AS tables_undated,
FROM runs AS r
LEFT JOIN run_tables AS t ON r.run_no = t.run_no
WHERE r.run_no = (SELECT MAX(n.run_no), FROM runs AS n)
GROUP BY r.run_no, r.run_id, r.as_of
