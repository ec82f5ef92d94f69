-- How the tasks that match stand, by group: those of the list, of them overdue and deferred, the oldest and its age, and the dollars that wait.
SELECT
    t.split,
    COUNT(*) AS tasks,
    COUNT(*) FILTER (WHERE t.overdue AND t.status = 'pending') AS overdue,
    COUNT(*) FILTER (WHERE t.status = 'deferred') AS deferred,
    MIN(t.since) AS oldest,
    MAX(t.age_days) AS oldest_days,
    COALESCE(SUM(CASE WHEN t.rule_id IN ('uncollected_payments', 'refund_request') THEN t.amount END), 0) AS amount,
FROM matching AS t
GROUP BY t.split
