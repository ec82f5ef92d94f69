-- Open matching tasks by type and age band, with the dollars waiting.
SELECT
    t.rule_id,
    t.title,
    t.category,
    t.age_band,
    COUNT(*) AS tasks,
    COUNT(*) FILTER (WHERE t.overdue) AS overdue,
    COALESCE(SUM(t.amount), 0) AS amount,
FROM matching AS t
GROUP BY t.rule_id, t.title, t.category, t.age_band
