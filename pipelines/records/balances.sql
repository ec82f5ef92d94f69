-- A patient's account for each day of service, and what is still open of it, as
-- rules/uncollected_payments.sql counts it. Overpaying one day does not lower another's.
SELECT
    a.date_of_service AS visit_on,
    a.case_id,
    a.visits,
    CAST(a.due AS DECIMAL(12, 2)) AS due,
    CAST(a.adjudicated AS DECIMAL(12, 2)) AS left_by_payer,
    a.claims_unknown > 0 AS is_waiting_for_payer,
    CAST(a.paid AS DECIMAL(12, 2)) AS paid,
    CAST(a.refunded AS DECIMAL(12, 2)) AS refunded,
    CAST(
        LEAST(a.owed, a.due, GREATEST(LEAST(a.owed, a.due) - a.paid + a.refunded, 0))
        AS DECIMAL(12, 2)
    ) AS open_amount,
FROM staging.accounts AS a
INNER JOIN staging.cases AS c ON a.case_id = c.case_id
WHERE
    c.patient_id = $patient_id
    AND a.date_of_service IS NOT NULL
    AND (a.due > 0 OR a.owed > 0 OR a.paid <> 0 OR a.refunded <> 0)
ORDER BY a.date_of_service DESC, LPAD(a.case_id, 64, '0') ASC, a.case_id ASC
