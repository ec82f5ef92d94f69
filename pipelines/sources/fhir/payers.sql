-- Organizations that a coverage names as payor, and those whose type says that they insure.
WITH named AS (
    SELECT DISTINCT
        REGEXP_EXTRACT(
            JSON_EXTRACT_STRING(cv.json, '$.payor[0].reference'), 'Organization/(.+)$', 1
        ) AS payer_id,
    FROM source.coverage AS cv
    UNION
    SELECT r.id AS payer_id,
    FROM source.fhir_resources AS r
    WHERE
        r.kind = 'organization'
        AND JSON_EXTRACT_STRING(r.json, '$.type[0].coding[0].code') IN ('ins', 'pay')
)

SELECT
    n.payer_id,
    COALESCE(JSON_EXTRACT_STRING(o.json, '$.name'), n.payer_id) AS name,
    CASE
        WHEN JSON_EXTRACT_STRING(o.json, '$.name') ILIKE '%medicare%' THEN 'Medicare'
        WHEN JSON_EXTRACT_STRING(o.json, '$.name') ILIKE '%medicaid%' THEN 'Medicaid'
        ELSE 'Commercial'
    END AS kind,
FROM named AS n
LEFT JOIN source.fhir_resources AS o ON o.kind = 'organization' AND n.payer_id = o.id
WHERE n.payer_id <> ''
