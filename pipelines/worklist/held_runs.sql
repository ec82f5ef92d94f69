-- For how many runs in a row a task could not be checked, and the guard that holds it, NULL for a
-- row that could not be read, or where a table does not reach back far enough (`is_unseen`); no row
-- where the last run checked it.
SELECT
    h.runs,
    h.guard,
    COALESCE(h.is_unseen, FALSE) AS is_unseen,
FROM held AS h
WHERE h.task_id = $task_id
