-- What a patient paid, less refunds, without a date of service, over all cases.
SELECT CAST(COALESCE(SUM(a.paid - a.refunded), 0) AS DECIMAL(12, 2)) AS undated,
FROM staging.accounts AS a
WHERE a.patient_id = $patient_id AND a.date_of_service IS NULL
