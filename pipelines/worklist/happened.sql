-- What happened to tasks beside how they ended, one row each: deferred, deferred more than once,
-- reopened, or returned: closed and followed by the next task of the same subject within some days.
SELECT
    e.task_id,
    e.event AS happening,
FROM current_events AS e
WHERE e.event IN ('deferred', 'reopened')
GROUP BY e.task_id, e.event
UNION ALL
SELECT
    e.task_id,
    'deferred_again' AS happening,
FROM current_events AS e
WHERE e.event = 'deferred'
GROUP BY e.task_id
HAVING COUNT(*) > 1
UNION ALL
SELECT
    a.task_id,
    'returned' AS happening,
FROM current_tasks AS t
INNER JOIN asked AS a ON t.previous_task_id = a.task_id
INNER JOIN asked AS n ON t.task_id = n.task_id
WHERE t.previous_task_id IS NOT NULL AND NOT a.is_open AND n.opened_on <= a.closed_on + $return_days
