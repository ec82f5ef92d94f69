-- What patients paid (payer_type 0); a negative amount was paid back.
SELECT
    ap.pid || '-' || ap.encounter || '-' || ap.sequence_no AS payment_id,
    ap.pid AS patient_id,
    ap.pid AS case_id,
    CAST(e.visit_on AS VARCHAR) AS date_of_service,
    CASE WHEN ap.pay_amount LIKE '-%' THEN 'refund' ELSE 'payment' END AS kind,
    LTRIM(ap.pay_amount, '-') AS amount,
    ap.post_time AS paid_at,
FROM source.ar_activity AS ap
LEFT JOIN step.encounters AS e ON ap.pid = e.patient_id AND ap.encounter = e.encounter_id
WHERE
    COALESCE(ap.payer_type, '0') = '0'
    AND COALESCE(ap.deleted, '0000') LIKE '0000%'
    AND COALESCE(TRY_CAST(ap.pay_amount AS DECIMAL(12, 2)) <> 0, TRUE)
