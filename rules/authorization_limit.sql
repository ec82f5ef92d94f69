/* rule
title        = "Authorization Limit"
category     = "Billing"
clears       = "manual"
clears_when  = "Staff have reviewed the visits against the authorization and mark the task complete."
manual       = "allowed"
purpose      = "An authorization has no visits left, or more are scheduled than it has left."
resolve      = [
    "Open the patient's Authorizations and compare the visits used and scheduled with the limit.",
    "Ask the payer for more visits, or enter the new authorization if it has come.",
    "Until then move or cancel the visits beyond the limit, or tell the patient what they would cost.",
    "Mark the task complete.",
]
links        = ["authorizations", "schedule", "policies"]
reads        = ["appointments", "authorizations", "facilities"]
due_days     = 3    # the next visit may already go unpaid
ends_at_discharge = true    # no more visits, no more need
subject_table = "authorizations"
source       = "seed: Billing Tasks table; domain.md section 2"

[params]
*/
WITH started AS (
    SELECT
        a.authorization_id,
        a.policy_id,
        a.case_id,
        a.patient_id,
        a.facility_id,
        a.starts_on,
        a.ends_on,
        a.visit_limit,
        a.visits_used,
        a.entered_at,
        a.entered_on,
        f.today,
        'Authorization' || COALESCE(' ' || a.number, '') AS name,
    FROM staging.authorizations AS a
    INNER JOIN staging.facilities AS f ON a.facility_id = f.facility_id
    WHERE
        NOT a.is_stub
        AND a.visit_limit IS NOT NULL
        AND (a.starts_on IS NULL OR a.starts_on <= f.today)
        AND (a.ends_on IS NULL OR a.ends_on >= f.today)
),

-- Newer is what starts later and lasts longer, or was entered later; of two, never each replaces the other.
replaced AS (
    SELECT DISTINCT s.authorization_id,
    FROM started AS s
    INNER JOIN staging.authorizations AS n ON s.policy_id = n.policy_id AND s.case_id = n.case_id AND s.authorization_id <> n.authorization_id
    WHERE
        NOT n.is_stub
        AND (n.ends_on IS NULL OR n.ends_on >= COALESCE(s.ends_on, s.today))
        AND (
            (n.starts_on > s.starts_on AND s.ends_on < COALESCE(n.ends_on, s.ends_on + 1))
            OR (
                (n.entered_at > s.entered_at OR (n.entered_at = s.entered_at AND n.authorization_id > s.authorization_id))
                AND NOT (COALESCE(s.starts_on > n.starts_on, FALSE) AND s.ends_on IS NULL AND n.ends_on IS NOT NULL)
            )
        )
),

watched AS (
    SELECT
        s.authorization_id,
        s.case_id,
        s.patient_id,
        s.facility_id,
        s.starts_on,
        s.ends_on,
        s.visit_limit,
        s.visits_used,
        s.entered_on,
        s.today,
        s.name,
    FROM started AS s
    LEFT JOIN replaced AS r ON s.authorization_id = r.authorization_id
    WHERE r.authorization_id IS NULL
),

visits AS (
    SELECT
        w.authorization_id,
        COUNT(*) FILTER (WHERE a.status = 'Completed') AS completed,
        COUNT(*) FILTER (WHERE a.is_live AND a.visit_on >= w.today) AS ahead,
    FROM watched AS w
    INNER JOIN staging.appointments AS a ON w.case_id = a.case_id
    WHERE
        w.visit_limit IS NOT NULL
        AND (a.is_live OR (a.status = 'Completed' AND a.visit_on <= w.today))
        AND (w.starts_on IS NULL OR a.visit_on >= w.starts_on)
        AND (w.ends_on IS NULL OR a.visit_on <= w.ends_on)
    GROUP BY w.authorization_id
),

counted AS (
    SELECT
        w.authorization_id,
        w.case_id,
        w.patient_id,
        w.facility_id,
        w.starts_on,
        w.ends_on,
        w.visit_limit,
        w.entered_on,
        w.today,
        w.name,
        COALESCE(w.visits_used, v.completed, 0) AS used,
        COALESCE(v.ahead, 0) AS ahead,
    FROM watched AS w
    LEFT JOIN visits AS v ON w.authorization_id = v.authorization_id
),

exceeded AS (
    SELECT
        c.authorization_id,
        c.case_id,
        c.patient_id,
        c.facility_id,
        c.starts_on,
        c.ends_on,
        c.visit_limit,
        c.entered_on,
        c.today,
        c.name,
        c.used,
        c.ahead,
    FROM counted AS c
    WHERE c.used >= c.visit_limit OR c.used + c.ahead > c.visit_limit
),

-- The visits that could have crossed the limit: the completed ones from the last backwards, the booked ones as they were booked.
steps AS (
    SELECT
        e.authorization_id,
        CASE WHEN a.is_live THEN a.created_on ELSE a.visit_on END AS stepped_on,
        a.is_live,
        ROW_NUMBER() OVER (PARTITION BY e.authorization_id, a.is_live ORDER BY a.starts_at DESC, a.appointment_id DESC) AS recency,
        ROW_NUMBER() OVER (PARTITION BY e.authorization_id, a.is_live ORDER BY a.created_at, a.appointment_id) AS booking,
    FROM exceeded AS e
    INNER JOIN staging.appointments AS a ON e.case_id = a.case_id
    WHERE
        ((a.is_live AND a.visit_on >= e.today) OR (a.status = 'Completed' AND a.visit_on <= e.today))
        AND (e.starts_on IS NULL OR a.visit_on >= e.starts_on)
        AND (e.ends_on IS NULL OR a.visit_on <= e.ends_on)
)

SELECT
    e.authorization_id AS subject_id,
    e.case_id,
    e.patient_id,
    e.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    COALESCE(s.stepped_on, e.entered_on) AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    e.name || ': ' || CAST(e.used AS VARCHAR) || ' of ' || CAST(e.visit_limit AS VARCHAR) || ' visits used'
    || CASE WHEN e.ahead > 0 THEN ', ' || CAST(e.ahead AS VARCHAR) || ' more scheduled' ELSE '' END AS reason,
FROM exceeded AS e
LEFT JOIN steps AS s
    ON
        e.authorization_id = s.authorization_id
        AND (
            (e.used >= e.visit_limit AND NOT s.is_live AND s.recency = e.used - e.visit_limit + 1)
            OR (e.used < e.visit_limit AND s.is_live AND s.booking = e.visit_limit - e.used + 1)
        )
