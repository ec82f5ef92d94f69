/* A stretch of a patient's payer history; the secondary payer is a policy of its own. Older exports
   have years, newer ones times. NO_INSURANCE is no policy. */
WITH told AS (
    SELECT
        pt.patient AS patient_id,
        TO_JSON(pt) AS row_json,
    FROM source.payer_transitions AS pt
),

stretches AS (
    SELECT
        t.patient_id,
        JSON_EXTRACT_STRING(t.row_json, '$.PAYER') AS payer_id,
        JSON_EXTRACT_STRING(t.row_json, '$.SECONDARY_PAYER') AS second_payer_id,
        COALESCE(
            LEFT(JSON_EXTRACT_STRING(t.row_json, '$.START_DATE'), 10),
            JSON_EXTRACT_STRING(t.row_json, '$.START_YEAR') || '-01-01'
        ) AS starts_on,
        COALESCE(
            LEFT(JSON_EXTRACT_STRING(t.row_json, '$.END_DATE'), 10),
            JSON_EXTRACT_STRING(t.row_json, '$.END_YEAR') || '-12-31'
        ) AS ends_on,
    FROM told AS t
),

insured AS (
    SELECT
        s.patient_id,
        s.payer_id,
        '1' AS rank,
        s.starts_on,
        s.ends_on,
    FROM stretches AS s
    UNION ALL
    SELECT
        s.patient_id,
        s.second_payer_id AS payer_id,
        '2' AS rank,
        s.starts_on,
        s.ends_on,
    FROM stretches AS s
    WHERE s.second_payer_id IS NOT NULL
)

SELECT
    i.patient_id || '-' || i.starts_on || '-' || i.rank AS policy_id,
    i.patient_id,
    NULL AS case_id,
    i.payer_id,
    i.rank,
    i.starts_on,
    i.ends_on,
    i.starts_on AS created_at,
    'false' AS authorization_required,
    NULL AS verification_requested_at,
    NULL AS verified_at,
    NULL AS verified_by,
FROM insured AS i
LEFT JOIN source.payers AS y ON i.payer_id = y.id
WHERE
    COALESCE(UPPER(y.name), '') <> 'NO_INSURANCE'
    AND COALESCE(TRY_CAST(i.starts_on AS DATE) <= CAST($as_of AS DATE), TRUE)
