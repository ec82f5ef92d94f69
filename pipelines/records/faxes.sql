-- A patient's faxes, the newest first; a queued one has no time yet and is the newest.
SELECT
    x.fax_id,
    x.document_id,
    d.kind AS document,
    d.date_of_service,
    x.recipient,
    x.number,
    x.status,
    x.attempts,
    x.sent_at,
    x.failed_at,
    x.is_newest,
FROM staging.faxes AS x
INNER JOIN staging.documents AS d ON x.document_id = d.document_id
WHERE d.patient_id = $patient_id
ORDER BY
    CASE WHEN x.status = 'Queued' THEN 0 ELSE 1 END ASC,
    GREATEST(x.sent_at, x.failed_at) DESC NULLS LAST,
    CASE WHEN x.status = 'Failed' THEN 1 ELSE 0 END ASC,
    LPAD(x.fax_id, 64, '0') DESC,
    x.fax_id DESC
