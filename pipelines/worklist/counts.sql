-- The tasks that match, by category and type.
SELECT
    t.category,
    t.rule_id,
    t.title,
    COUNT(*) AS tasks,
    COUNT(*) FILTER (WHERE t.overdue) AS overdue,
    MIN(t.since) AS oldest,
FROM matching AS t
GROUP BY t.category, t.rule_id, t.title
