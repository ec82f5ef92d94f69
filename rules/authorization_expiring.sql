/* rule
title        = "Authorization Expiring"
category     = "Billing"
clears       = "auto"
clears_when  = "A newer authorization that covers the policy is entered."
manual       = "override"
purpose      = "An authorization ends soon or has few visits left, and there is no newer one."
resolve      = [
    "Open the patient's Authorizations and check which runs out first, the dates or the visits.",
    "Ask the therapist whether care continues; if not, discharge the case.",
    "Send the payer the request with the progress report it asks for.",
    "Enter the new authorization on the same policy and upload its document.",
]
links        = ["authorizations", "policies", "documents", "schedule"]
reads        = ["appointments", "authorizations", "facilities"]
due_days     = 14    # equal to days_ahead: after that the authorization has ended
ends_at_discharge = true    # no visits follow a discharge
subject_table = "authorizations"
source       = "requirements: Billing Tasks; notes on the domain"

[params]
days_ahead  = 14    # days before the end date; payers take one to two weeks to answer
visits_left = 2    # visits left at which to ask for more: about a week of care
*/
WITH watched AS (
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
        u.visits_left,
        'Authorization' || COALESCE(' ' || a.number, '') AS name,
        COALESCE(a.ends_on - $days_ahead <= f.today, FALSE) AS is_by_date,
        -- With no visits left, or more scheduled than left, it is authorization_limit instead.
        COALESCE(
            u.visits_left BETWEEN 1 AND $visits_left AND u.visits_ahead <= u.visits_left,
            FALSE
        ) AS is_by_visits,
    FROM staging.authorizations AS a
    INNER JOIN staging.authorization_usage AS u ON a.authorization_id = u.authorization_id
    INNER JOIN staging.facilities AS f ON a.facility_id = f.facility_id
    WHERE u.is_current
),

recent_visits AS (
    SELECT
        w.authorization_id,
        v.visit_on,
        ROW_NUMBER() OVER (
            PARTITION BY w.authorization_id
            ORDER BY v.starts_at DESC, LPAD(v.appointment_id, 64, '0') DESC, v.appointment_id DESC
        ) AS recency,
    FROM watched AS w
    INNER JOIN staging.appointments AS v ON w.case_id = v.case_id
    WHERE
        w.is_by_visits
        AND v.status = 'Completed'
        AND v.visit_on <= w.today
        AND (w.starts_on IS NULL OR v.visit_on >= w.starts_on)
        AND (w.ends_on IS NULL OR v.visit_on <= w.ends_on)
),

-- With 1 visit left and a threshold of 2, the visit before the last one crossed it.
crossed AS (
    SELECT
        w.authorization_id,
        CASE WHEN w.is_by_date THEN w.ends_on - $days_ahead END AS date_crossed_on,
        CASE WHEN w.is_by_visits THEN COALESCE(v.visit_on, w.entered_on) END AS visits_crossed_on,
    FROM watched AS w
    LEFT JOIN recent_visits AS v
        ON
            w.authorization_id = v.authorization_id
            AND v.recency = $visits_left - w.visits_left + 1
    WHERE w.is_by_date OR w.is_by_visits
)

SELECT
    w.authorization_id AS subject_id,
    w.case_id,
    w.patient_id,
    w.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    LEAST(
        COALESCE(c.date_crossed_on, c.visits_crossed_on),
        COALESCE(c.visits_crossed_on, c.date_crossed_on)
    ) AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    w.name
    || CASE
        WHEN w.is_by_date AND w.ends_on < w.today THEN ' ended on ' || CAST(w.ends_on AS VARCHAR)
        WHEN w.is_by_date THEN ' ends on ' || CAST(w.ends_on AS VARCHAR)
        ELSE ''
    END
    || CASE WHEN w.is_by_date AND w.is_by_visits THEN ' and' ELSE '' END
    || CASE
        WHEN w.is_by_visits
            THEN
                ' has ' || CAST(w.visits_left AS VARCHAR)
                || ' of ' || CAST(w.visit_limit AS VARCHAR) || ' visits left'
        ELSE ''
    END AS reason,
FROM watched AS w
INNER JOIN crossed AS c ON w.authorization_id = c.authorization_id
