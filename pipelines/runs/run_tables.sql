-- The tables of one run: those not accepted first, then those with refused rows; those
-- that the practice never delivers last.
SELECT
    t.table_name,
    t.status,
    t.reason,
    t.files,
    t.rows_read,
    t.rows_staged,
    t.rows_refused,
    t.extracted_at,
    t.since_on,
    t.horizon_on,
    t.warnings,
FROM run_tables AS t
WHERE t.run_no = $run_no
ORDER BY
    CASE
        WHEN t.status = 'absent' THEN 3
        WHEN t.status <> 'accepted' THEN 0
        WHEN t.rows_refused > 0 THEN 1
        ELSE 2
    END,
    t.table_name
