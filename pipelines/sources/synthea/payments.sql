/* What patients paid: payments by cash, card, cheque or copay. Payers pay by ECHECK, and SYSTEM
   writes off (assumed). */
SELECT
    t.id AS payment_id,
    t.patientid AS patient_id,
    e.case_id,
    CAST(CAST(e.started_at AS DATE) AS VARCHAR) AS date_of_service,
    'payment' AS kind,
    COALESCE(t.payments, t.amount) AS amount,
    COALESCE(
        CAST(TRY_CAST(t.fromdate AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS VARCHAR), t.fromdate
    ) AS paid_at,
FROM source.claims_transactions AS t
LEFT JOIN step.encounters AS e ON t.appointmentid = e.encounter_id
WHERE
    t.type = 'PAYMENT'
    AND t.method IN ('CASH', 'CC', 'CHECK', 'COPAY')
    AND COALESCE(TRY_CAST(t.fromdate AS TIMESTAMPTZ) AT TIME ZONE 'UTC' <= $as_of, TRUE)
