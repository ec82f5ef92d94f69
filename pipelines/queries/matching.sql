-- The tasks a view asks for, of those in `asked`: every filter that is given holds. Other questions are asked of these.
SELECT
    t.task_id,
    t.rule_id,
    t.title,
    t.category,
    t.subject_id,
    t.occurrence,
    t.patient_id,
    t.patient,
    t.case_id,
    t.facility_id,
    t.facility,
    t.payer_key,
    t.payer_id,
    t.payer,
    t.staff_key,
    t.staff_id,
    t.staff,
    t.assigned_to_id,
    t.since,
    t.due_on,
    t.opened_at,
    t.is_open,
    t.status,
    t.deferred_until,
    t.returns_at,
    t.closed_at,
    t.closed_by,
    t.close_kind,
    t.reason,
    t.amount,
    t.age_days,
    t.age_band,
    t.overdue,
    t.last_seq,
    t.manual,
    t.is_latest,
    t.active_age_days,
FROM asked AS t
WHERE
    (
        $status = 'all'
        OR t.status = $status
        OR ($status = 'overdue' AND t.status = 'pending' AND t.overdue)
        OR ($status = 'open' AND t.is_open)
        OR ($status = 'closed' AND NOT t.is_open)
    )
    AND (CAST($task_ids AS VARCHAR[]) IS NULL OR t.task_id = ANY(CAST($task_ids AS VARCHAR[])))
    AND (CAST($facility_ids AS VARCHAR[]) IS NULL OR t.facility_id = ANY(CAST($facility_ids AS VARCHAR[])))
    AND (CAST($categories AS VARCHAR[]) IS NULL OR t.category = ANY(CAST($categories AS VARCHAR[])))
    AND (CAST($rule_ids AS VARCHAR[]) IS NULL OR t.rule_id = ANY(CAST($rule_ids AS VARCHAR[])))
    AND (CAST($payer_ids AS VARCHAR[]) IS NULL OR t.payer_key = ANY(CAST($payer_ids AS VARCHAR[])))
    AND (CAST($staff_ids AS VARCHAR[]) IS NULL OR t.staff_key = ANY(CAST($staff_ids AS VARCHAR[])))
    AND (CAST($age_bands AS VARCHAR[]) IS NULL OR t.age_band = ANY(CAST($age_bands AS VARCHAR[])))
    AND ($patient_id IS NULL OR t.patient_id = $patient_id)
