-- The rules withheld in the newest run, with the reason; their tasks are unchanged. Those that need
-- a table which the practice never delivers are not connected, not withheld.
SELECT
    a.rule_id,
    COALESCE(r.title, a.rule_id) AS title,
    r.category,
    a.reason,
FROM run_rules AS a
LEFT JOIN rules AS r ON a.rule_id = r.rule_id
WHERE
    NOT a.is_answered
    AND COALESCE(a.is_connected, TRUE)
    AND a.run_no = (SELECT MAX(n.run_no), FROM runs AS n)
ORDER BY COALESCE(r.title, a.rule_id), a.rule_id
