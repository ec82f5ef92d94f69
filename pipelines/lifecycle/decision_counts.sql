-- How many tasks of each rule this run opened, closed or held.
SELECT
    d.rule_id,
    d.decision,
    COUNT(*) AS tasks,
FROM decisions AS d
WHERE d.decision NOT IN ('none', 'away', 'refresh')
GROUP BY d.rule_id, d.decision
ORDER BY d.rule_id, d.decision
