-- A patient's payments, refunds and voids, the newest first; net_amount is signed.
SELECT
    p.payment_id,
    p.paid_on,
    p.date_of_service,
    p.kind,
    p.amount,
    p.net_amount,
    p.case_id,
FROM staging.payments AS p
WHERE p.patient_id = $patient_id
ORDER BY p.paid_at DESC, LPAD(p.payment_id, 64, '0') DESC, p.payment_id DESC
