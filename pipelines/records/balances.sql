-- What a patient owed for each day of visits, what was paid for that case and day, and what is
-- open, as rules/uncollected_payments.sql counts it. Overpaying one day does not lower another's.
WITH charged_days AS (
    SELECT
        a.case_id,
        a.visit_on,
        COUNT(*) AS visits,
        SUM(a.amount_due) AS due,
    FROM staging.appointments AS a
    WHERE a.patient_id = $patient_id AND a.has_happened AND a.amount_due > 0
    GROUP BY a.case_id, a.visit_on
),

paid_days AS (
    SELECT
        p.case_id,
        p.date_of_service,
        SUM(p.net_amount) AS paid,
    FROM staging.payments AS p
    WHERE p.case_id IN (SELECT d.case_id, FROM charged_days AS d)
    GROUP BY p.case_id, p.date_of_service
)

SELECT
    d.visit_on,
    d.case_id,
    d.visits,
    CAST(d.due AS DECIMAL(12, 2)) AS due,
    CAST(COALESCE(p.paid, 0) AS DECIMAL(12, 2)) AS paid,
    CAST(LEAST(d.due, GREATEST(d.due - COALESCE(p.paid, 0), 0)) AS DECIMAL(12, 2)) AS open_amount,
FROM charged_days AS d
LEFT JOIN paid_days AS p ON d.case_id = p.case_id AND d.visit_on = p.date_of_service
ORDER BY d.visit_on DESC, LPAD(d.case_id, 64, '0') ASC, d.case_id ASC
