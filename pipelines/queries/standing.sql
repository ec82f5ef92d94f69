-- How the tasks that match stand, by group: those of the list, of them overdue and deferred, the oldest, and the dollars that wait.
SELECT
    CASE $split_by
        WHEN 'category' THEN t.category
        WHEN 'type' THEN t.rule_id
        WHEN 'facility' THEN t.facility_id
        WHEN 'payer' THEN t.payer_key
        WHEN 'staff' THEN t.staff_key
        ELSE 'all'
    END AS split,
    COUNT(*) AS tasks,
    COUNT(*) FILTER (WHERE t.overdue AND t.status = 'pending') AS overdue,
    COUNT(*) FILTER (WHERE t.status = 'deferred') AS deferred,
    MIN(t.since) AS oldest,
    COALESCE(SUM(CASE WHEN t.rule_id IN ('uncollected_payments', 'refund_request') THEN t.amount END), 0) AS amount,
FROM matching AS t
GROUP BY ALL
