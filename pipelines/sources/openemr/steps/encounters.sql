-- Encounters with their charges and what payers paid and wrote off.
WITH charges AS (
    SELECT
        bi.pid,
        bi.encounter,
        SUM(TRY_CAST(bi.fee AS DECIMAL(12, 2))) AS fees,
        MAX(CASE WHEN bi.billed = '1' THEN 1 ELSE 0 END) AS is_billed,
    FROM source.billing AS bi
    WHERE bi.activity = '1' AND COALESCE(bi.code_type, '') <> 'COPAY'
    GROUP BY bi.pid, bi.encounter
),

entries AS (
    SELECT
        ar.pid,
        ar.encounter,
        SUM(
            COALESCE(TRY_CAST(ar.pay_amount AS DECIMAL(12, 2)), 0)
            + COALESCE(TRY_CAST(ar.adj_amount AS DECIMAL(12, 2)), 0)
        ) AS settled,
        MAX(ar.post_time) AS posted_at,
    FROM source.ar_activity AS ar
    WHERE COALESCE(ar.payer_type, '0') <> '0' AND COALESCE(ar.deleted, '0000') LIKE '0000%'
    GROUP BY ar.pid, ar.encounter
)

SELECT
    fe.encounter AS encounter_id,
    fe.pid AS patient_id,
    fe.date AS starts_at,
    TRY_CAST(LEFT(fe.date, 10) AS DATE) AS visit_on,
    NULLIF(fe.facility_id, '0') AS facility_id,
    NULLIF(fe.provider_id, '0') AS staff_id,
    TRY_CAST(fe.last_level_closed AS INTEGER) AS closed_level,
    c.fees,
    COALESCE(c.is_billed, 0) AS is_billed,
    COALESCE(e.settled, 0) AS settled,
    e.posted_at,
FROM source.form_encounter AS fe
LEFT JOIN charges AS c ON fe.pid = c.pid AND fe.encounter = c.encounter
LEFT JOIN entries AS e ON fe.pid = e.pid AND fe.encounter = e.encounter
