/* What payers said of each claim in remittances, the newest first (place 1). A reversal takes back
   what was decided; the correction follows it, often in the same transaction. */
WITH told AS (
    SELECT
        c.claim_id,
        c.status AS code,
        c.patient_responsibility,
        COALESCE(c.paid_on, LEFT(c.sent_at, 10)) AS decided_on,
        TRY_CAST(COALESCE(c.paid_on, LEFT(c.sent_at, 10)) AS DATE) AS decided_day,
        TRY_CAST(c.sent_at AS TIMESTAMP) AS sent_at,
        c.interchange,
        TRY_CAST(c.segment AS INTEGER) AS segment,
    FROM source.x12_claims AS c
    WHERE c.claim_id IS NOT NULL
)

SELECT
    t.claim_id,
    t.code,
    t.patient_responsibility,
    t.decided_on,
    t.decided_day,
    ROW_NUMBER() OVER (
        PARTITION BY t.claim_id
        ORDER BY
            t.decided_day DESC NULLS LAST,
            t.sent_at DESC NULLS LAST,
            t.interchange DESC,
            t.segment DESC
    ) AS place,
FROM told AS t
