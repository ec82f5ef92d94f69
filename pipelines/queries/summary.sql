-- What the numbers above the list say of all tasks that match.
SELECT
    COUNT(*) AS tasks,
    -- As the status overdue has it: what is deferred waits with leave.
    COUNT(*) FILTER (WHERE t.overdue AND t.status = 'pending') AS overdue,
    COUNT(*) FILTER (WHERE t.status = 'deferred') AS deferred,
    COUNT(*) FILTER (WHERE t.staff_id IS NULL) AS unassigned,
    -- Only these two hold money that is still to be moved; an amount elsewhere would be counted twice.
    COALESCE(SUM(CASE WHEN t.rule_id IN ('uncollected_payments', 'refund_request') THEN t.amount END), 0) AS amount,
    MIN(t.since) AS oldest,
    COUNT(*) FILTER (WHERE t.is_open) AS still_open,
    COUNT(*) FILTER (WHERE t.close_kind IN ('completed', 'override')) AS by_people,
FROM matching AS t
