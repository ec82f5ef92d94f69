-- For how many runs in a row a task could not be checked; no row where the last run checked it.
SELECT h.runs,
FROM held AS h
WHERE h.task_id = $task_id
