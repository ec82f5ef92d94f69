-- The task types of this snapshot, by title.
SELECT
    r.rule_id,
    r.title,
    r.category,
    r.clears,
    r.clears_when,
    r.purpose,
    r.due_days,
FROM rules AS r
ORDER BY r.title
