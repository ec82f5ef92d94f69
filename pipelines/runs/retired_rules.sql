-- The previous snapshot's rules that no longer exist, or are broken, but still have tasks.
SELECT
    p.rule_id,
    p.title,
    p.category,
    p.clears,
    p.clears_when,
    p.purpose,
    p.due_days,
    p.version,
FROM previous_rules AS p
WHERE
    p.rule_id IN (
        SELECT t.rule_id,
        FROM snapshot.tasks AS t
        ANTI JOIN snapshot.rules AS r ON t.rule_id = r.rule_id
    )
