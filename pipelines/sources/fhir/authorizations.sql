/* A request for preauthorization (Claim.use) that a response granted: it has a number or a period.
   The quantity of its only item is the limit of visits (assumed). */
WITH granted AS (
    SELECT
        REGEXP_EXTRACT(JSON_EXTRACT_STRING(r.json, '$.request.reference'), '([^/]+)$', 1)
            AS claim_id,
        JSON_EXTRACT_STRING(r.json, '$.preAuthRef') AS number,
        JSON_EXTRACT_STRING(r.json, '$.preAuthPeriod.start') AS starts_on,
        JSON_EXTRACT_STRING(r.json, '$.preAuthPeriod.end') AS ends_on,
        JSON_EXTRACT_STRING(r.json, '$.created') AS created,
    FROM source.fhir_resources AS r
    WHERE
        r.kind = 'claimresponse'
        AND COALESCE(
            JSON_EXTRACT_STRING(r.json, '$.preAuthRef'),
            JSON_EXTRACT_STRING(r.json, '$.preAuthPeriod.end')
        ) IS NOT NULL
    QUALIFY ROW_NUMBER() OVER (PARTITION BY claim_id ORDER BY created DESC) = 1
),

asked AS (
    SELECT
        JSON_EXTRACT_STRING(ac.json, '$.id') AS claim_id,
        REGEXP_EXTRACT(JSON_EXTRACT_STRING(ac.json, '$.patient.reference'), '([^/]+)$', 1)
            AS patient_id,
        REGEXP_EXTRACT(
            JSON_EXTRACT_STRING(ac.json, '$.insurance[0].coverage.reference'), '([^/]+)$', 1
        ) AS policy_id,
        CASE
            WHEN JSON_ARRAY_LENGTH(JSON_EXTRACT(ac.json, '$.item')) = 1
                THEN JSON_EXTRACT_STRING(ac.json, '$.item[0].quantity.value')
        END AS visit_limit,
    FROM source.claim AS ac
    WHERE JSON_EXTRACT_STRING(ac.json, '$.use') = 'preauthorization'
)

SELECT
    k.claim_id AS authorization_id,
    k.policy_id,
    c.case_id,
    g.number,
    g.starts_on,
    g.ends_on,
    k.visit_limit,
    NULL AS visits_used,
    NULL AS limit_unit,
    'false' AS is_stub,
    g.created AS entered_at,
    NULL AS document_uploaded_at,
FROM asked AS k
INNER JOIN granted AS g ON k.claim_id = g.claim_id
LEFT JOIN step.cases AS c
    ON
        k.patient_id = c.patient_id
        AND TRY_CAST(LEFT(COALESCE(g.starts_on, g.created), 10) AS DATE) <= COALESCE(
            c.closed_on, DATE '9999-12-31'
        )
QUALIFY ROW_NUMBER() OVER (PARTITION BY k.claim_id ORDER BY c.opened_on DESC) = 1
