/* rule
title        = "Authorization Expiring"
category     = "Billing"
clears       = "auto"
clears_when  = "A newer authorization is entered that leaves no booked visit uncovered."
manual       = "override"
purpose      = "An authorization ends soon or has few visits left, and no newer one takes over."
resolve      = [
    "Open the patient's Authorizations and check what runs out first: the dates, visits or units.",
    "Ask the therapist whether care continues; if not, discharge the case.",
    "Send the payer the request with the progress report it asks for.",
    "Enter the new authorization on the same policy; reschedule booked visits it does not cover.",
]
links        = ["authorizations", "policies", "documents", "schedule"]
reads        = ["appointments", "authorizations", "facilities", "policies"]
due_days     = 14    # equal to days_ahead: after that the authorization has ended
ends_at_discharge = true    # no visits follow a discharge
subject_table = "authorizations"
source       = "requirements: Billing Tasks; notes on the domain"

[params]
days_ahead  = 14    # days before the end date; payers take one to two weeks to answer
visits_left = 2    # visits or units left at which to ask for more: visits of about a week of care
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
        a.limit_unit,
        f.today,
        u.counts_from,
        u.gap_booked_on,
        u.visits_left,
        u.has_all_visits,
        u.next_starts_on,
        u.uncovered_on,
        'Authorization' || COALESCE(' ' || a.number, '') AS name,
        COALESCE(a.ends_on - $days_ahead <= f.today, FALSE) AS is_by_date,
        -- With nothing left, or more booked than left, it is authorization_limit instead.
        COALESCE(
            u.visits_left BETWEEN 1 AND $visits_left AND u.visits_ahead <= u.visits_left,
            FALSE
        ) AS is_by_visits,
    FROM staging.authorizations AS a
    INNER JOIN staging.authorization_usage AS u ON a.authorization_id = u.authorization_id
    INNER JOIN staging.facilities AS f ON a.facility_id = f.facility_id
    WHERE u.is_current AND NOT u.is_renewed
),

-- Where the EMR counts other visits than the extract has, or units, no visit tells the day.
recent_visits AS (
    SELECT
        w.authorization_id,
        v.visit_on,
        ROW_NUMBER() OVER (
            PARTITION BY w.authorization_id
            ORDER BY
                v.starts_at DESC, LPAD(v.appointment_id, 64, '0') DESC, v.appointment_id DESC
        ) AS recency,
    FROM watched AS w
    INNER JOIN staging.appointments AS v ON w.case_id = v.case_id
    WHERE
        w.is_by_visits
        AND w.has_all_visits
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
        v.visit_on AS visits_crossed_on,
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
    CASE
        WHEN c.date_crossed_on IS NOT NULL OR c.visits_crossed_on IS NOT NULL
            THEN GREATEST(
                LEAST(
                    COALESCE(c.date_crossed_on, c.visits_crossed_on),
                    COALESCE(c.visits_crossed_on, c.date_crossed_on)
                ),
                w.counts_from,
                COALESCE(w.gap_booked_on, w.counts_from)
            )
        ELSE w.counts_from
    END AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    w.name
    -- The same words before and after the day, so that the text does not change by itself.
    || CASE WHEN w.is_by_date THEN ' ends on ' || CAST(w.ends_on AS VARCHAR) ELSE '' END
    || CASE WHEN w.is_by_date AND w.is_by_visits THEN ' and' ELSE '' END
    || CASE
        WHEN w.is_by_visits
            THEN
                ' has ' || CAST(w.visits_left AS VARCHAR)
                || ' of ' || CAST(w.visit_limit AS VARCHAR) || ' ' || w.limit_unit || ' left'
        ELSE ''
    END
    || COALESCE(', the next one starts on ' || CAST(w.next_starts_on AS VARCHAR), '')
    || COALESCE(
        '; no authorization covers the visit on ' || CAST(w.uncovered_on AS VARCHAR), ''
    ) AS reason,
FROM watched AS w
INNER JOIN crossed AS c ON w.authorization_id = c.authorization_id
