-- The rules that need a table which the practice never delivers, in the newest run; their tasks are
-- unchanged.
SELECT
    a.rule_id,
    COALESCE(r.title, a.rule_id) AS title,
    r.category,
    a.reason,
FROM run_rules AS a
LEFT JOIN rules AS r ON a.rule_id = r.rule_id
WHERE NOT a.is_connected AND a.run_no = (SELECT MAX(n.run_no), FROM runs AS n)
ORDER BY COALESCE(r.title, a.rule_id), a.rule_id
