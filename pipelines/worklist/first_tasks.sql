-- The first tasks of each type, the oldest first: what a dashboard shows of a group.
-- Not ranked by a window: that would sort them all, and takes three times as long.
WITH firsts AS (
    SELECT UNNEST(MIN_BY(t.task_id, (t.since, t.task_id), CAST($most AS BIGINT))) AS task_id,
    FROM matching AS t
    GROUP BY t.rule_id
)

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
    t.payer_id,
    t.payer,
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
FROM matching AS t
INNER JOIN firsts AS f ON t.task_id = f.task_id
