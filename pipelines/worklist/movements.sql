-- What came in and what was done after one moment until another, by event.
SELECT
    e.event,
    COUNT(*) AS events,
FROM current_events AS e
INNER JOIN current_tasks AS t ON e.task_id = t.task_id
WHERE
    e.happened_at > $since
    AND e.happened_at <= $at
    AND ($facility_id IS NULL OR t.facility_id = $facility_id)
GROUP BY e.event
ORDER BY e.event
