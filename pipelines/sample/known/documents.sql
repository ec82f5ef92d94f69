SELECT
    d.document_id,
    d.case_id,
    d.appointment_id,
    d.kind,
    d.has_plan_of_care,
    CASE
        WHEN d.completed_at <= c.now_at THEN 'Completed'
        WHEN d.submitted_for_review_at <= c.now_at THEN 'Review'
        ELSE 'Draft'
    END AS status,
    d.started_at,
    d.date_of_service,
    d.last_editor_id,
    CASE WHEN d.completed_at <= c.now_at THEN d.completed_at END AS completed_at,
    CASE WHEN d.submitted_for_review_at <= c.now_at THEN d.reviewer_id END AS reviewer_id,
    CASE
        WHEN d.submitted_for_review_at <= c.now_at THEN d.submitted_for_review_at
    END AS submitted_for_review_at,
    CASE WHEN d.signed_at <= c.now_at THEN d.signed_at END AS signed_at,
FROM facts_documents AS d
INNER JOIN facility_list AS c ON d.facility_id = c.facility_id
WHERE d.started_at <= c.now_at
ORDER BY d.document_id
