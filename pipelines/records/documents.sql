-- A patient's clinical documents, the newest date of service first.
SELECT
    d.document_id,
    d.kind,
    d.date_of_service,
    d.status,
    d.started_on,
    d.submitted_for_review_on,
    d.completed_on,
    d.signed_on,
    COALESCE(o.name, d.owner_id) AS owner,
    COALESCE(r.name, d.reviewer_id) AS reviewer,
    d.has_plan_of_care,
    d.case_id,
FROM staging.documents AS d
LEFT JOIN staging.staff AS o ON d.owner_id = o.staff_id
LEFT JOIN staging.staff AS r ON d.reviewer_id = r.staff_id
WHERE d.patient_id = $patient_id
ORDER BY
    COALESCE(d.date_of_service, d.started_on) DESC,
    d.started_at DESC,
    LPAD(d.document_id, 64, '0') DESC,
    d.document_id DESC
