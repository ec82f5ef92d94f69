/* A claim whose first payer is CLOSED is processed; what was transferred to the patient is then the
   patient's responsibility (assumed). */
WITH transferred AS (
    SELECT
        ct.claimid,
        SUM(TRY_CAST(ct.amount AS DECIMAL(12, 2))) AS amount,
    FROM source.claims_transactions AS ct
    WHERE ct.type = 'TRANSFERIN' AND LOWER(ct.transfertype) = 'p'
    GROUP BY ct.claimid
),

told AS (
    SELECT
        cl.id AS claim_id,
        cl.appointmentid,
        cl.servicedate,
        cl.status1,
        cl.lastbilleddate1,
        TRY_CAST(cl.lastbilleddate1 AS TIMESTAMPTZ) AT TIME ZONE 'UTC' <= $as_of AS is_billed,
        COALESCE(TRY_CAST(cl.servicedate AS TIMESTAMPTZ) AT TIME ZONE 'UTC' <= $as_of, TRUE)
            AS is_known,
    FROM source.claims AS cl
)

SELECT
    c.claim_id,
    e.case_id,
    NULL AS policy_id,
    e.encounter_id AS appointment_id,
    LEFT(c.servicedate, 10) AS date_of_service,
    COALESCE(c.status1, 'BILLED') AS status,
    CASE
        WHEN c.status1 = 'CLOSED' AND c.is_billed THEN CAST(COALESCE(t.amount, 0) AS VARCHAR)
    END AS patient_responsibility,
    CASE
        WHEN c.status1 = 'CLOSED' AND COALESCE(c.is_billed, TRUE) THEN c.lastbilleddate1
    END AS processed_at,
FROM told AS c
LEFT JOIN step.encounters AS e ON c.appointmentid = e.encounter_id
LEFT JOIN transferred AS t ON c.claim_id = t.claimid
WHERE c.is_known
