-- For how many runs in a row a task could not be checked, and the guard that holds it, NULL for a
-- row that could not be read; no row where the last run checked it.
SELECT
    h.runs,
    h.guard,
FROM held AS h
WHERE h.task_id = $task_id
