SELECT
    p.payment_id,
    p.patient_id,
    p.case_id,
    p.date_of_service,
    CASE WHEN p.voided_at <= c.now_at THEN 'void' ELSE p.kind END AS kind,
    p.amount,
    p.paid_at,
FROM facts_payments AS p
INNER JOIN facility_list AS c ON p.facility_id = c.facility_id
WHERE p.paid_at <= c.now_at
ORDER BY p.payment_id
