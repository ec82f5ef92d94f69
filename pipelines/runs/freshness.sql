-- The newest run and the time of its oldest accepted extract; one without a manifest has no time.
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
