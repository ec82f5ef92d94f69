-- Open, overdue and deferred tasks of the matching ones by split value, the oldest and the dollars.
SELECT
    t.split,
    COUNT(*) AS tasks,
    COUNT(*) FILTER (WHERE t.overdue AND t.status = 'pending') AS overdue,
    COUNT(*) FILTER (WHERE t.status = 'deferred') AS deferred,
    MIN(t.since) AS oldest,
    MAX(t.age_days) AS oldest_days,
    COALESCE(
        SUM(CASE WHEN t.rule_id IN ('uncollected_payments', 'refund_request') THEN t.amount END), 0
    ) AS amount,
FROM matching AS t
GROUP BY t.split
