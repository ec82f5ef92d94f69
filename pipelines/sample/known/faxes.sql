SELECT
    f.fax_id,
    f.document_id,
    f.recipient,
    CASE WHEN f.number >= 0 THEN '555-0' || CAST(f.number AS VARCHAR) END AS number,
    CASE
        WHEN f.failed_at <= c.now_at THEN 'Failed'
        WHEN f.sent_at <= c.now_at THEN 'Sent'
        ELSE 'Queued'
    END AS status,
    CASE
        WHEN f.failed_at <= c.now_at THEN 3
        WHEN f.sent_at <= c.now_at THEN 1
        ELSE 0
    END AS attempts,
    CASE WHEN f.sent_at <= c.now_at THEN f.sent_at END AS sent_at,
    CASE WHEN f.failed_at <= c.now_at THEN f.failed_at END AS failed_at,
FROM facts_faxes AS f
INNER JOIN facility_list AS c ON f.facility_id = c.facility_id
WHERE f.queued_at <= c.now_at
ORDER BY f.fax_id
