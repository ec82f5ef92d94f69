-- What a patient paid, less refunds, without a date of service, over all cases.
SELECT CAST(COALESCE(SUM(a.paid - a.refunded), 0) AS DECIMAL(12, 2)) AS undated,
FROM staging.accounts AS a
INNER JOIN staging.cases AS c ON a.case_id = c.case_id
WHERE c.patient_id = $patient_id AND a.date_of_service IS NULL
