-- How many tasks of each rule the newest run held because of a row that could not be read.
SELECT
    h.rule_id,
    COUNT(*) AS tasks,
FROM held AS h
WHERE h.guard IS NULL AND NOT COALESCE(h.is_unseen, FALSE)
GROUP BY h.rule_id
ORDER BY h.rule_id
