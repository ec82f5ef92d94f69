-- What the numbers above the list say of all tasks that match.
SELECT
    COUNT(*) AS tasks,
    COUNT(DISTINCT t.patient_id) AS patients,
    COALESCE(SUM(CASE WHEN t.overdue THEN 1 ELSE 0 END), 0) AS overdue,
    COALESCE(SUM(CASE WHEN t.status = 'deferred' THEN 1 ELSE 0 END), 0) AS deferred,
    COALESCE(SUM(CASE WHEN t.staff_id IS NULL THEN 1 ELSE 0 END), 0) AS unassigned,
    -- Only these two hold money that is still to be moved; an amount elsewhere would be counted twice.
    COALESCE(SUM(CASE WHEN t.rule_id IN ('uncollected_payments', 'refund_request') THEN t.amount END), 0) AS amount,
    MIN(t.since) AS oldest,
FROM matching AS t
