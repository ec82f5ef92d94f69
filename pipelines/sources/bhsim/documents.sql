-- A completed visit has a note, started when the visit ended; until documented_at it is a draft.
SELECT
    v.visit_id AS document_id,
    v.case_id,
    v.visit_id AS appointment_id,
    'Visit Note' AS kind,
    FALSE AS has_plan_of_care,
    CASE
        WHEN NOT v.has_readable_note THEN NULL -- the contract refuses it
        WHEN v.documented_at <= $as_of THEN 'Completed'
        ELSE 'Draft'
    END AS status,
    v.ended_at AS started_at,
    v.visit_on AS date_of_service,
    v.employee_id AS last_editor_id,
    CASE WHEN v.documented_at <= $as_of THEN v.documented_at END AS completed_at,
    NULL AS reviewer_id,
    NULL AS submitted_for_review_at,
    NULL AS signed_at,
FROM step.visits AS v
WHERE v.status = 'Completed'
