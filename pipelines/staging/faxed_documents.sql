-- Each document with its newest fax; the columns of the fax are NULL when there is none.
SELECT
    d.document_id,
    d.case_id,
    d.patient_id,
    d.facility_id,
    d.owner_id,
    d.kind,
    d.status,
    d.has_plan_of_care,
    d.date_of_service,
    d.started_on,
    d.completed_on,
    d.signed_on,
    x.fax_id,
    x.recipient,
    x.number AS fax_number,
    COALESCE(x.recipient || COALESCE(' (' || x.number || ')', ''), x.number) AS faxed_to,
    x.status AS fax_status,
    x.attempts AS fax_attempts,
    x.sent_on,
    x.failed_on,
FROM staging.documents AS d
LEFT JOIN staging.faxes AS x ON d.document_id = x.document_id AND x.is_newest
