-- A communication by fax whose first payload, or subject matter, is a document.
SELECT
    JSON_EXTRACT_STRING(cm.json, '$.id') AS fax_id,
    NULLIF(
        REGEXP_EXTRACT(
            COALESCE(
                JSON_EXTRACT_STRING(cm.json, '$.payload[0].contentReference.reference'),
                JSON_EXTRACT_STRING(cm.json, '$.about[0].reference')
            ),
            'DocumentReference/(.+)$', 1
        ),
        ''
    ) AS document_id,
    JSON_EXTRACT_STRING(cm.json, '$.recipient[0].display') AS recipient,
    NULL AS number,
    CASE JSON_EXTRACT_STRING(cm.json, '$.status')
        WHEN 'completed' THEN 'Sent'
        WHEN 'stopped' THEN 'Failed'
        WHEN 'not-done' THEN 'Failed'
        WHEN 'preparation' THEN 'Queued'
        WHEN 'in-progress' THEN 'Queued'
        WHEN 'on-hold' THEN 'Queued'
        ELSE JSON_EXTRACT_STRING(cm.json, '$.status')
    END AS status,
    '1' AS attempts,
    CASE
        WHEN JSON_EXTRACT_STRING(cm.json, '$.status') = 'completed'
            THEN JSON_EXTRACT_STRING(cm.json, '$.sent')
    END AS sent_at,
    CASE
        WHEN JSON_EXTRACT_STRING(cm.json, '$.status') IN ('stopped', 'not-done')
            THEN JSON_EXTRACT_STRING(cm.json, '$.sent')
    END AS failed_at,
FROM source.communication AS cm
WHERE
    CAST(JSON_EXTRACT(cm.json, '$.medium') AS VARCHAR) ILIKE '%fax%'
    AND COALESCE(JSON_EXTRACT_STRING(cm.json, '$.status'), '') <> 'entered-in-error'
