-- The patient to whose chart the tasks of an earlier patient id moved last.
SELECT t.patient_id,
FROM current_events AS e
INNER JOIN current_tasks AS t ON e.task_id = t.task_id
WHERE e.from_patient_id = $patient_id AND t.patient_id <> $patient_id
ORDER BY e.happened_at DESC, e.event_no DESC
LIMIT 1
