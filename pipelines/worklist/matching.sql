-- The tasks a view asks for, of those in `asked`: every filter that is given holds. Other questions are asked of these.
-- A line whose filter is not given is left out before it is asked, see worklist.py.
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
    t.opened_on,
    t.is_open,
    t.status,
    t.deferred_until,
    t.returns_at,
    t.closed_at,
    t.closed_on,
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
    1 AS tasks,
FROM asked AS t
WHERE
    (
        $status = 'all'
        OR t.status = $status
        OR ($status = 'overdue' AND t.status = 'pending' AND t.overdue)
        OR ($status = 'open' AND t.is_open)
        OR ($status = 'closed' AND NOT t.is_open)
    )
    AND t.task_id IN (SELECT w.task_id, FROM UNNEST($task_ids) AS w (task_id))
    AND LIST_CONTAINS($facility_ids, t.facility_id)
    AND LIST_CONTAINS($categories, t.category)
    AND LIST_CONTAINS($rule_ids, t.rule_id)
    AND LIST_CONTAINS($payer_ids, t.payer_key)
    AND LIST_CONTAINS($staff_ids, t.staff_key)
    AND LIST_CONTAINS($age_bands, t.age_band)
    AND t.patient_id = $patient_id
    AND LIST_CONTAINS($close_kinds, t.close_kind)
    AND t.task_id IN (SELECT s.task_id, FROM current_stays AS s WHERE s.in_on <= $open_on AND COALESCE(s.out_on > $open_since, TRUE)) -- noqa: LT14
    AND t.task_id IN (SELECT s.task_id, FROM stood AS s WHERE s.stood_as = $stood_as) -- noqa: LT14
    AND t.task_id IN (SELECT s.task_id, FROM current_stays AS s WHERE s.in_on BETWEEN $in_from AND $in_to) -- noqa: LT14
    AND t.task_id IN (SELECT s.task_id, FROM current_stays AS s WHERE s.out_on BETWEEN $out_from AND $out_to) -- noqa: LT14
    AND t.task_id IN (SELECT s.task_id, FROM current_stays AS s WHERE s.out_on BETWEEN $out_from AND $out_to AND LIST_CONTAINS($left_as, s.ended_as)) -- noqa: LT05, LT14
    AND t.task_id IN (SELECT h.task_id, FROM happened AS h WHERE LIST_CONTAINS($happened, h.happening)) -- noqa: LT14
