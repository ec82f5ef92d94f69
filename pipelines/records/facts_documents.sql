-- The facts behind a task about a document: the document, its newest fax, and its visit.
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
        WHEN d.has_plan_of_care AND x.status = 'Sent'
            THEN 'signed on ' || STRFTIME(d.signed_on, '%b %-d, %Y') || ': complete it'
        ELSE 'signed on ' || STRFTIME(d.signed_on, '%b %-d, %Y')
    END AS signature,
    d.visit_on AS visit,
    -- As in rules/draft_documents.sql.
    COALESCE(
        (
            SELECT
                CASE
                    WHEN BOOL_OR(a.has_happened) THEN 'yes'
                    WHEN BOOL_OR(a.is_live) THEN 'not checked in'
                END,
            FROM staging.appointments AS a
            WHERE a.patient_id = d.patient_id AND a.visit_on = d.visit_on
        ),
        'no'
    ) AS patient_seen_that_day,
    d.document_id,
FROM staging.documents AS d
LEFT JOIN staging.staff AS o ON d.owner_id = o.staff_id
LEFT JOIN staging.staff AS r ON d.reviewer_id = r.staff_id
LEFT JOIN staging.faxes AS x ON d.document_id = x.document_id AND x.is_newest
WHERE d.document_id = $subject_id
