-- The rules that the newest run asked, and that could not answer for some of their records, since a
-- table does not reach back far enough.
SELECT
    a.rule_id,
    COALESCE(r.title, a.rule_id) AS title,
    r.category,
    a.reason,
FROM run_rules AS a
LEFT JOIN rules AS r ON a.rule_id = r.rule_id
WHERE a.is_answered AND a.unseen > 0 AND a.run_no = (SELECT MAX(n.run_no), FROM runs AS n)
ORDER BY COALESCE(r.title, a.rule_id), a.rule_id
