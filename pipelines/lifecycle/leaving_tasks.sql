-- The open tasks that this run no longer asks for, as the run before left them.
SELECT
    t.task_id,
    t.rule_id,
    t.subject_id,
    t.case_id,
    t.patient_id,
    t.facility_id,
    t.payer_id,
    t.since,
    t.opened_at,
    t.amount,
    t.reason,
    t.episode,
FROM first_decisions AS d
INNER JOIN tasks_with_actions AS t ON d.task_id = t.task_id
WHERE d.decision IN ('cleared', 'converted')
