-- The record of each task as it is now; no row where it is gone. `is_reused` where its id is used
-- again for another patient's record: patient, case and day all differ. A record of which only the
-- patient changed is the same record in a merged chart.
SELECT
    t.task_id,
    s.patient_id,
    s.case_id,
    s.record_on,
    COALESCE(
        s.patient_id <> t.patient_id
        AND s.record_on <> t.record_on
        AND (s.is_case OR s.case_id IS NULL OR s.case_id IS DISTINCT FROM t.case_id),
        FALSE
    ) AS is_reused,
FROM tasks_with_actions AS t
INNER JOIN rules AS r ON t.rule_id = r.rule_id
INNER JOIN subjects AS s ON r.subject_table = s.subject_table AND t.subject_id = s.subject_id
