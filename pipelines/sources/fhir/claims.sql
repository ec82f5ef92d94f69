/* What a payer explained of a claim. The patient's responsibility is the total of that name, else
   the sum of copay, coinsurance and deductible. */
WITH told AS (
    SELECT
        eob.json,
        COALESCE(
            NULLIF(
                REGEXP_EXTRACT(JSON_EXTRACT_STRING(eob.json, '$.claim.reference'), '([^/]+)$', 1),
                ''
            ),
            JSON_EXTRACT_STRING(eob.json, '$.id')
        ) AS claim_id,
        JSON_EXTRACT_STRING(eob.json, '$.created') AS created,
        REGEXP_EXTRACT(JSON_EXTRACT_STRING(eob.json, '$.patient.reference'), '([^/]+)$', 1)
            AS patient_id,
        LEFT(
            COALESCE(
                JSON_EXTRACT_STRING(eob.json, '$.billablePeriod.start'),
                JSON_EXTRACT_STRING(eob.json, '$.item[0].servicedDate'),
                JSON_EXTRACT_STRING(eob.json, '$.item[0].servicedPeriod.start')
            ),
            10
        ) AS date_of_service,
        REGEXP_EXTRACT(
            JSON_EXTRACT_STRING(eob.json, '$.item[0].encounter[0].reference'), '([^/]+)$', 1
        ) AS encounter_id,
        NULLIF(
            REGEXP_EXTRACT(
                JSON_EXTRACT_STRING(eob.json, '$.insurance[0].coverage.reference'), '([^/]+)$', 1
            ),
            ''
        ) AS policy_id,
        JSON_EXTRACT_STRING(eob.json, '$.outcome') AS outcome,
    FROM source.explanationofbenefit AS eob
    WHERE
        COALESCE(JSON_EXTRACT_STRING(eob.json, '$.use'), 'claim') = 'claim'
        AND COALESCE(JSON_EXTRACT_STRING(eob.json, '$.status'), '') NOT IN (
            'entered-in-error', 'draft', 'cancelled'
        )
    QUALIFY ROW_NUMBER() OVER (PARTITION BY claim_id ORDER BY created DESC) = 1
),

totals AS (
    SELECT
        u.claim_id,
        JSON_EXTRACT_STRING(u.total, '$.category.coding[0].code') AS category,
        TRY_CAST(JSON_EXTRACT_STRING(u.total, '$.amount.value') AS DECIMAL(12, 2)) AS amount,
    FROM (
        SELECT
            t.claim_id,
            UNNEST(JSON_EXTRACT(t.json, '$.total[*]')) AS total,
        FROM told AS t
    ) AS u
),

responsibilities AS (
    SELECT
        x.claim_id,
        COALESCE(
            SUM(CASE WHEN x.category IN ('memberliability', 'patientpay') THEN x.amount END),
            SUM(
                CASE
                    WHEN x.category IN ('copay', 'coinsurance', 'deductible') THEN x.amount
                END
            )
        ) AS amount,
    FROM totals AS x
    GROUP BY x.claim_id
)

SELECT
    t.claim_id,
    COALESCE(v.case_id, c.case_id, oc.case_id, t.patient_id) AS case_id,
    p.id AS policy_id,
    v.visit_id AS appointment_id,
    t.date_of_service,
    COALESCE(t.outcome, 'unknown') AS status,
    CAST(s.amount AS VARCHAR) AS patient_responsibility,
    CASE WHEN t.outcome IN ('complete', 'partial') THEN t.created END AS processed_at,
FROM told AS t
LEFT JOIN responsibilities AS s ON t.claim_id = s.claim_id
LEFT JOIN step.visits AS v
    ON t.encounter_id = v.encounter_id
LEFT JOIN step.own_cases AS oc ON t.patient_id = oc.patient_id
LEFT JOIN step.cases AS c
    ON
        t.patient_id = c.patient_id
        AND TRY_CAST(t.date_of_service AS DATE) BETWEEN c.opened_on AND COALESCE(
            c.closed_on, DATE '9999-12-31'
        )
LEFT JOIN source.fhir_resources AS p ON p.kind = 'coverage' AND t.policy_id = p.id
QUALIFY ROW_NUMBER() OVER (PARTITION BY t.claim_id ORDER BY c.opened_on DESC) = 1
