-- The visits for which something is unpaid. What is owed for a date, and what was paid, belong to
-- its visits in the order of their start.
WITH short_days AS (
    SELECT
        a.case_id,
        a.date_of_service,
        a.due,
        LEAST(a.owed, a.due) AS to_collect,
        a.paid - a.refunded AS paid,
    FROM staging.accounts AS a
    WHERE LEAST(a.owed, a.due) > a.paid - a.refunded
),

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
        v.to_collect - v.paid AS short,
        LEAST(v.amount_due, GREATEST(v.to_collect - v.due_before, 0)) AS owed,
        GREATEST(v.paid - v.due_before, 0) AS left_for_it,
    FROM visits AS v
)

SELECT
    o.appointment_id,
    o.case_id,
    o.patient_id,
    o.facility_id,
    o.visit_on,
    -- Of the date, all its visits together.
    o.due,
    o.to_collect,
    o.short,
    -- Of this visit.
    CAST(o.owed AS DECIMAL(12, 2)) AS owed,
    CAST(o.owed - o.left_for_it AS DECIMAL(12, 2)) AS unpaid,
FROM owing_visits AS o
WHERE o.owed > o.left_for_it
