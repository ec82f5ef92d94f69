/* rule
title        = "Authorization Limit"
category     = "Billing"
clears       = "manual"
clears_when  = "Staff have compared visits and authorization and mark the task complete."
manual       = "allowed"
purpose      = "An authorization has no visits left, or more visits are scheduled than are left."
resolve      = [
    "Open the patient's Authorizations and compare the visits used and scheduled with the limit.",
    "Ask the payer for more visits, or enter the new authorization if you have it.",
    "Until then, move or cancel visits beyond the limit, or tell the patient what they cost.",
    "Mark the task complete.",
]
links        = ["authorizations", "schedule", "policies"]
reads        = ["appointments", "authorizations", "facilities"]
due_days     = 3    # the next visit may not be paid
ends_at_discharge = true    # no visits follow a discharge
subject_table = "authorizations"
source       = "requirements: Billing Tasks; notes on the domain"

[params]
*/
WITH exceeded AS (
    SELECT
        a.authorization_id,
        a.case_id,
        a.patient_id,
        a.facility_id,
        a.starts_on,
        a.ends_on,
        a.visit_limit,
        a.entered_on,
        f.today,
        u.visits_used,
        u.visits_ahead,
        u.visits_left,
        'Authorization' || COALESCE(' ' || a.number, '') AS name,
    FROM staging.authorizations AS a
    INNER JOIN staging.authorization_usage AS u ON a.authorization_id = u.authorization_id
    INNER JOIN staging.facilities AS f ON a.facility_id = f.facility_id
    WHERE
        u.is_current
        AND (a.ends_on IS NULL OR a.ends_on >= f.today)
        AND (u.visits_left <= 0 OR u.visits_ahead > u.visits_left)
),

-- The visits that may have crossed the limit: completed ones counted back from the last one,
-- scheduled ones in the order in which they were booked.
steps AS (
    SELECT
        e.authorization_id,
        CASE WHEN v.is_live THEN v.created_on ELSE v.visit_on END AS stepped_on,
        v.is_live,
        ROW_NUMBER() OVER (
            PARTITION BY e.authorization_id, v.is_live
            ORDER BY v.starts_at DESC, LPAD(v.appointment_id, 64, '0') DESC, v.appointment_id DESC
        ) AS recency,
        ROW_NUMBER() OVER (
            PARTITION BY e.authorization_id, v.is_live
            ORDER BY v.created_at, LPAD(v.appointment_id, 64, '0'), v.appointment_id
        ) AS booking,
    FROM exceeded AS e
    INNER JOIN staging.appointments AS v ON e.case_id = v.case_id
    WHERE
        (
            (v.is_live AND v.visit_on >= e.today)
            OR (v.status = 'Completed' AND v.visit_on <= e.today)
        )
        AND (e.starts_on IS NULL OR v.visit_on >= e.starts_on)
        AND (e.ends_on IS NULL OR v.visit_on <= e.ends_on)
)

SELECT
    e.authorization_id AS subject_id,
    e.case_id,
    e.patient_id,
    e.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    COALESCE(s.stepped_on, e.entered_on) AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    e.name || ': ' || CAST(e.visits_used AS VARCHAR) || ' of ' || CAST(e.visit_limit AS VARCHAR)
    || ' visits used'
    || CASE
        WHEN e.visits_ahead > 0 THEN ', ' || CAST(e.visits_ahead AS VARCHAR) || ' more scheduled'
        ELSE ''
    END AS reason,
FROM exceeded AS e
LEFT JOIN steps AS s
    ON
        e.authorization_id = s.authorization_id
        AND (
            (e.visits_left <= 0 AND NOT s.is_live AND s.recency = 1 - e.visits_left)
            OR (e.visits_left > 0 AND s.is_live AND s.booking = e.visits_left + 1)
        )
