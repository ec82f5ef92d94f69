-- The facts behind a task about a document: the document, its newest fax, and a visit that day.
SELECT
    d.kind AS document,
    d.status AS document_status,
    d.date_of_service,
    d.started_at AS started,
    d.completed_at AS completed,
    o.name AS last_edited_by,
    r.name AS reviewer,
    x.status AS fax,
    x.recipient AS faxed_to,
    x.attempts AS fax_attempts,
    CASE
        WHEN d.date_of_service IS NULL THEN 'no date of service'
        WHEN EXISTS (
            SELECT 1,
            FROM staging.appointments AS a
            WHERE a.case_id = d.case_id AND a.visit_on = d.date_of_service AND a.has_happened
        ) THEN 'yes'
        ELSE 'no'
    END AS patient_seen_that_day,
    d.document_id,
FROM staging.documents AS d
LEFT JOIN staging.staff AS o ON d.owner_id = o.staff_id
LEFT JOIN staging.staff AS r ON d.reviewer_id = r.staff_id
LEFT JOIN staging.faxes AS x ON d.document_id = x.document_id AND x.is_newest
WHERE d.document_id = $subject_id
