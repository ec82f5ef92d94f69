/* rule
title        = "Authorization Expiring"
category     = "Billing"
clears       = "auto"
clears_when  = "A newer authorization that covers the policy is entered."
manual       = "override"
purpose      = "An authorization nears its end or its last visits, and no newer one covers the policy."
resolve      = [
    "Open the patient's Authorizations and see what ends first: the dates or the visits.",
    "Ask the therapist whether care goes on; if it does not, discharge the case.",
    "Send the payer the request with the progress report it asks for.",
    "Enter the new authorization on the same policy and upload its document.",
]
links        = ["authorizations", "policies", "documents", "schedule"]
reads        = ["appointments", "authorizations", "facilities"]
due_days     = 14    # the default notice: later the authorization has ended
ends_at_discharge = true    # no more visits, no more need
subject_table = "authorizations"
source       = "seed: Billing Tasks table; domain.md section 2"

[params]
days_ahead  = 14    # days before the end date; payers take one to two weeks to answer
visits_left = 2    # visits left at which to ask for more: about a week of care
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
        AND (a.starts_on IS NULL OR a.starts_on <= f.today)
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

expiring AS (
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
        c.visit_limit - c.used AS remaining,
        COALESCE(c.ends_on - $days_ahead <= c.today, FALSE) AS is_by_date,
        -- None left, or more booked than left, is authorization_limit.
        COALESCE(c.visit_limit - c.used BETWEEN 1 AND $visits_left AND c.used + c.ahead <= c.visit_limit, FALSE) AS is_by_visits,
    FROM counted AS c
    WHERE c.ends_on - $days_ahead <= c.today OR (c.visit_limit - c.used BETWEEN 1 AND $visits_left AND c.used + c.ahead <= c.visit_limit)
),

recent_visits AS (
    SELECT
        e.authorization_id,
        a.visit_on,
        ROW_NUMBER() OVER (PARTITION BY e.authorization_id ORDER BY a.starts_at DESC, a.appointment_id DESC) AS recency,
    FROM expiring AS e
    INNER JOIN staging.appointments AS a ON e.case_id = a.case_id
    WHERE
        e.is_by_visits
        AND a.status = 'Completed'
        AND a.visit_on <= e.today
        AND (e.starts_on IS NULL OR a.visit_on >= e.starts_on)
        AND (e.ends_on IS NULL OR a.visit_on <= e.ends_on)
),

-- With 1 left of a threshold of 2, the visit before the last one crossed it.
crossed AS (
    SELECT
        e.authorization_id,
        CASE WHEN e.is_by_date THEN e.ends_on - $days_ahead END AS date_crossed_on,
        CASE WHEN e.is_by_visits THEN COALESCE(v.visit_on, e.entered_on) END AS visits_crossed_on,
    FROM expiring AS e
    LEFT JOIN recent_visits AS v ON e.authorization_id = v.authorization_id AND v.recency = $visits_left - e.remaining + 1
)

SELECT
    e.authorization_id AS subject_id,
    e.case_id,
    e.patient_id,
    e.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    LEAST(COALESCE(c.date_crossed_on, c.visits_crossed_on), COALESCE(c.visits_crossed_on, c.date_crossed_on)) AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    e.name
    || CASE WHEN e.is_by_date THEN CASE WHEN e.ends_on < e.today THEN ' ended on ' ELSE ' ends on ' END || CAST(e.ends_on AS VARCHAR) ELSE '' END
    || CASE WHEN e.is_by_date AND e.is_by_visits THEN ' and' ELSE '' END
    || CASE
        WHEN e.is_by_visits THEN ' has ' || CAST(e.remaining AS VARCHAR) || ' of ' || CAST(e.visit_limit AS VARCHAR) || ' visits left'
        ELSE ''
    END AS reason,
FROM expiring AS e
INNER JOIN crossed AS c ON e.authorization_id = c.authorization_id
