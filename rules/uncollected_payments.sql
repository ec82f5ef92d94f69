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
reads        = ["appointments", "claims", "payments"]
may_lack     = ["claims"]    # a practice without claims still asks for what was due at the visit
due_days     = 7    # the next visit, where it is easiest to collect, is usually within a week
ends_at_discharge = false    # the balance is still owed
subject_table = "appointments"
source       = "requirements: Billing Tasks; notes on the domain"

[params]
tolerance = 0.00    # dollars a payment may fall short
*/
WITH short_days AS (
    SELECT
        a.case_id,
        a.date_of_service,
        a.due,
        LEAST(a.owed, a.due) AS to_collect,
        a.paid - a.refunded AS paid,
    FROM staging.accounts AS a
    WHERE LEAST(a.owed, a.due) - (a.paid - a.refunded) > CAST($tolerance AS DECIMAL(12, 2))
),

-- What is owed for a day, and what was paid, belong to its visits in the order of their start.
visits AS (
    SELECT
        v.appointment_id,
        v.case_id,
        v.patient_id,
        v.facility_id,
        v.visit_on,
        v.amount_due,
        d.due,
        d.to_collect,
        d.paid,
        SUM(v.amount_due) OVER (
            PARTITION BY v.case_id, v.visit_on
            ORDER BY v.starts_at, LPAD(v.appointment_id, 64, '0'), v.appointment_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) - v.amount_due AS due_before,
    FROM staging.appointments AS v
    INNER JOIN short_days AS d ON v.case_id = d.case_id AND v.visit_on = d.date_of_service
    WHERE v.has_happened AND v.amount_due > 0
),

owing_visits AS (
    SELECT
        v.appointment_id,
        v.case_id,
        v.patient_id,
        v.facility_id,
        v.visit_on,
        v.due,
        v.to_collect,
        LEAST(v.amount_due, GREATEST(v.to_collect - v.due_before, 0)) AS owed,
        GREATEST(v.paid - v.due_before, 0) AS left_for_it,
    FROM visits AS v
),

unpaid_visits AS (
    SELECT
        o.appointment_id,
        o.case_id,
        o.patient_id,
        o.facility_id,
        o.visit_on,
        o.due,
        o.to_collect,
        CAST(o.owed AS DECIMAL(12, 2)) AS owed,
        CAST(o.owed - LEAST(o.owed, o.left_for_it) AS DECIMAL(12, 2)) AS unpaid,
    FROM owing_visits AS o
)

SELECT
    u.appointment_id AS subject_id,
    u.case_id,
    u.patient_id,
    u.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    u.visit_on AS since,
    u.unpaid AS amount,
    '$' || CAST(u.unpaid AS VARCHAR) || ' of $' || CAST(u.owed AS VARCHAR)
    || ' unpaid for the visit on ' || CAST(u.visit_on AS VARCHAR)
    || CASE
        WHEN u.to_collect < u.due
            THEN '; the payer left $' || CAST(u.to_collect AS VARCHAR)
                || ' of $' || CAST(u.due AS VARCHAR) || ' to the patient'
        ELSE ''
    END
    || CASE
        WHEN m.paid > m.refunded
            THEN '; $' || CAST(m.paid - m.refunded AS VARCHAR)
                || ' is on the account without a date of service'
        ELSE ''
    END AS reason,
FROM unpaid_visits AS u
LEFT JOIN staging.accounts AS m ON u.case_id = m.case_id AND m.date_of_service IS NULL
WHERE u.unpaid > CAST($tolerance AS DECIMAL(12, 2))
