/* A coverage is a policy. An eligibility response that says it is in force verifies it, a request
   with no such answer asks for it. */
WITH answers AS (
    SELECT
        REGEXP_EXTRACT(
            JSON_EXTRACT_STRING(r.json, '$.insurance[0].coverage.reference'), '([^/]+)$', 1
        ) AS policy_id,
        MAX(
            CASE
                WHEN r.kind = 'coverageeligibilityrequest'
                    THEN JSON_EXTRACT_STRING(r.json, '$.created')
            END
        ) AS requested_at,
        MIN(
            CASE
                WHEN
                    r.kind = 'coverageeligibilityresponse'
                    AND JSON_EXTRACT_STRING(r.json, '$.insurance[0].inforce') = 'true'
                    THEN JSON_EXTRACT_STRING(r.json, '$.created')
            END
        ) AS verified_at,
    FROM source.fhir_resources AS r
    WHERE r.kind IN ('coverageeligibilityrequest', 'coverageeligibilityresponse')
    GROUP BY ALL
)

SELECT
    JSON_EXTRACT_STRING(cv.json, '$.id') AS policy_id,
    REGEXP_EXTRACT(
        JSON_EXTRACT_STRING(cv.json, '$.beneficiary.reference'), '([^/]+)$', 1
    ) AS patient_id,
    NULL AS case_id,
    NULLIF(
        REGEXP_EXTRACT(
            JSON_EXTRACT_STRING(cv.json, '$.payor[0].reference'), 'Organization/(.+)$', 1
        ),
        ''
    ) AS payer_id,
    COALESCE(JSON_EXTRACT_STRING(cv.json, '$.order'), '1') AS rank,
    JSON_EXTRACT_STRING(cv.json, '$.period.start') AS starts_on,
    JSON_EXTRACT_STRING(cv.json, '$.period.end') AS ends_on,
    COALESCE(
        JSON_EXTRACT_STRING(cv.json, '$.period.start'),
        JSON_EXTRACT_STRING(cv.json, '$.meta.lastUpdated')
    ) AS created_at,
    'false' AS authorization_required,
    a.requested_at AS verification_requested_at,
    a.verified_at,
    NULL AS verified_by,
FROM source.coverage AS cv
LEFT JOIN answers AS a ON JSON_EXTRACT_STRING(cv.json, '$.id') = a.policy_id
WHERE
    cv.parent IS NULL
    AND COALESCE(JSON_EXTRACT_STRING(cv.json, '$.status'), '') NOT IN ('entered-in-error', 'draft')
