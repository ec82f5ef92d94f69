-- The tasks whose record is not there and may be from before the first day of its table's rows: the
-- window moved on, and nothing was deleted. A record without a day may be from any.
SELECT
    t.rule_id,
    t.subject_id,
FROM tasks_with_actions AS t
INNER JOIN rules AS r ON t.rule_id = r.rule_id
INNER JOIN first_days AS f ON r.subject_table = f.table_name
LEFT JOIN records AS s ON t.task_id = s.task_id
WHERE t.is_latest AND s.task_id IS NULL AND COALESCE(t.record_on < f.since_on, TRUE)
