-- A patient's history: every event of every task, in order, with the names of who did it.
SELECT
    e.happened_at,
    e.event,
    t.task_id,
    t.rule_id,
    r.title,
    r.category,
    t.subject_id,
    t.occurrence,
    t.patient_id,
    t.case_id,
    t.facility_id,
    t.since,
    e.staff_id,
    CASE WHEN e.staff_id IS NULL THEN 'System' ELSE COALESCE(s.name, e.staff_id) END AS staff,
    e.reason,
    e.deferred_until,
    e.to_staff_id,
    o.name AS to_staff,
    e.linked_task_id,
    e.seq,
    e.record_table,
    e.record_id,
    e.amount,
    e.from_patient_id,
FROM current_events AS e
INNER JOIN current_tasks AS t ON e.task_id = t.task_id
LEFT JOIN rules AS r ON t.rule_id = r.rule_id
LEFT JOIN staging.staff AS s ON e.staff_id = s.staff_id
LEFT JOIN staging.staff AS o ON e.to_staff_id = o.staff_id
WHERE
    e.happened_at <= $at
    AND (
        t.patient_id = $patient_id
        -- Tasks that moved to another chart are found under the old id, too.
        OR t.task_id IN (
            SELECT m.task_id,
            FROM current_events AS m
            WHERE m.from_patient_id = $patient_id
        )
    )
ORDER BY e.happened_at, e.event_no
