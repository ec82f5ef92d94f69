/* rule
title        = "Uncollected Payments"
category     = "Billing"
clears       = "auto"
clears_when  = "The matching payment is entered on the Payments page."
manual       = "allowed"
purpose      = "A balance was due at the visit and has not been collected."
resolve      = [
    "Open the patient's Payments and look for a payment with a missing or wrong date of service.",
    "Collect the balance, or agree on a date with the patient.",
    "Enter amount, date of service and payment type.",
]
links        = ["payments", "policies", "demographics"]
reads        = ["appointments", "payments"]
due_days     = 7    # the next visit, where it is easiest to collect, is usually within a week
ends_at_discharge = false    # the balance is still owed
subject_table = "appointments"
source       = "requirements: Billing Tasks; notes on the domain"

[params]
tolerance = 0.00    # dollars a payment may fall short
*/
WITH charged_days AS (
    SELECT
        a.case_id,
        a.visit_on,
        SUM(a.amount_due) AS due,
    FROM staging.appointments AS a
    WHERE a.has_happened AND a.amount_due > 0
    GROUP BY a.case_id, a.visit_on
),

paid_days AS (
    SELECT
        p.case_id,
        p.date_of_service,
        SUM(p.net_amount) AS paid,
    FROM staging.payments AS p
    WHERE p.date_of_service IS NOT NULL
    GROUP BY p.case_id, p.date_of_service
),

short_days AS (
    SELECT
        d.case_id,
        d.visit_on,
        COALESCE(p.paid, 0) AS paid,
    FROM charged_days AS d
    LEFT JOIN paid_days AS p ON d.case_id = p.case_id AND d.visit_on = p.date_of_service
    WHERE d.due - COALESCE(p.paid, 0) > CAST($tolerance AS DECIMAL(12, 2))
),

-- Payments of a day go to its visits in the order of their start.
visits AS (
    SELECT
        a.appointment_id,
        a.case_id,
        a.patient_id,
        a.facility_id,
        a.visit_on,
        a.amount_due,
        s.paid - (
            SUM(a.amount_due) OVER (
                PARTITION BY a.case_id, a.visit_on
                ORDER BY a.starts_at, LPAD(a.appointment_id, 64, '0'), a.appointment_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) - a.amount_due
        ) AS left_for_it,
    FROM staging.appointments AS a
    INNER JOIN short_days AS s ON a.case_id = s.case_id AND a.visit_on = s.visit_on
    WHERE a.has_happened AND a.amount_due > 0
),

unpaid_visits AS (
    SELECT
        v.appointment_id,
        v.case_id,
        v.patient_id,
        v.facility_id,
        v.visit_on,
        v.amount_due,
        CAST(
            v.amount_due - LEAST(v.amount_due, GREATEST(v.left_for_it, 0)) AS DECIMAL(12, 2)
        ) AS unpaid,
    FROM visits AS v
)

SELECT
    u.appointment_id AS subject_id,
    u.case_id,
    u.patient_id,
    u.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    u.visit_on AS since,
    u.unpaid AS amount,
    '$' || CAST(u.unpaid AS VARCHAR) || ' of $' || CAST(u.amount_due AS VARCHAR)
    || ' unpaid for the visit on ' || CAST(u.visit_on AS VARCHAR) AS reason,
FROM unpaid_visits AS u
WHERE u.unpaid > CAST($tolerance AS DECIMAL(12, 2))
