/* rule
title        = "Authorization Limit"
category     = "Billing"
clears       = "manual"
clears_when  = "Staff have compared visits and authorization and mark the task complete."
manual       = "allowed"
purpose      = "An authorization has nothing left, or more visits are scheduled than are left."
resolve      = [
    "Open the patient's Authorizations and compare what is used and scheduled with the limit.",
    "Ask the payer for more visits or units, or enter the new authorization if you have it.",
    "Until then, move visits beyond the limit; a patient pays for them only with a signed waiver.",
    "Mark the task complete.",
]
links        = ["authorizations", "schedule", "policies"]
reads        = ["appointments", "authorizations", "facilities", "policies"]
due_days     = 3    # the next visit may not be paid
looks_back   = ["appointments"]    # the visits since the authorization began
may_lack     = ["appointments"]    # what the EMR says is used is then compared with the limit
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
        a.limit_unit,
        f.today,
        u.counts_from,
        u.visits_used,
        u.visits_ahead,
        u.visits_left,
        u.has_all_visits,
        u.next_starts_on,
        'Authorization' || COALESCE(' ' || a.number, '') AS name,
    FROM staging.authorizations AS a
    INNER JOIN staging.authorization_usage AS u ON a.authorization_id = u.authorization_id
    INNER JOIN staging.facilities AS f ON a.facility_id = f.facility_id
    WHERE
        u.is_current
        AND (a.ends_on IS NULL OR a.ends_on >= f.today)
        -- A visit uses at least one unit, so visits compare with units left, too.
        AND (u.visits_left <= 0 OR u.visits_ahead > u.visits_left)
        -- With a newer one entered, only the visits before its start need this one.
        AND (u.next_starts_on IS NULL OR u.visits_ahead > GREATEST(u.visits_left, 0))
),

-- The visits that may have crossed the limit: completed ones in the order of their days, and all
-- in the order in which they were booked. Where the EMR counts other visits than the extract has,
-- or units, no visit tells the day.
steps AS (
    SELECT
        e.authorization_id,
        v.visit_on,
        v.created_on,
        v.is_live,
        ROW_NUMBER() OVER (
            PARTITION BY e.authorization_id, v.is_live
            ORDER BY v.starts_at, LPAD(v.appointment_id, 64, '0'), v.appointment_id
        ) AS use,
        ROW_NUMBER() OVER (
            PARTITION BY e.authorization_id
            ORDER BY v.created_at, LPAD(v.appointment_id, 64, '0'), v.appointment_id
        ) AS booking,
    FROM exceeded AS e
    INNER JOIN staging.appointments AS v ON e.case_id = v.case_id
    WHERE
        e.has_all_visits
        AND (
            (
                v.is_live
                AND v.visit_on >= e.today
                AND (e.next_starts_on IS NULL OR v.visit_on < e.next_starts_on)
            )
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
    CASE
        WHEN s.authorization_id IS NULL THEN NULL
        WHEN e.visits_left <= 0 THEN GREATEST(s.visit_on, e.counts_from)
        ELSE GREATEST(s.created_on, e.counts_from)
    END AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    e.name || ': ' || CAST(e.visits_used AS VARCHAR) || ' of ' || CAST(e.visit_limit AS VARCHAR)
    || ' ' || e.limit_unit || ' used'
    || CASE
        WHEN e.visits_ahead > 0
            THEN
                ', ' || CAST(e.visits_ahead AS VARCHAR)
                || CASE e.limit_unit WHEN 'units' THEN ' more visits' ELSE ' more' END
                || ' scheduled'
        ELSE ''
    END AS reason,
FROM exceeded AS e
LEFT JOIN steps AS s
    ON
        e.authorization_id = s.authorization_id
        AND (
            (e.visits_left <= 0 AND NOT s.is_live AND e.visit_limit = s.use)
            OR (e.visits_left > 0 AND e.visit_limit = s.booking - 1)
        );

/* unseen */
SELECT a.authorization_id AS subject_id,
FROM staging.authorizations AS a
INNER JOIN staging.authorization_usage AS u ON a.authorization_id = u.authorization_id
WHERE u.is_current AND NOT u.is_counted AND a.visit_limit IS NOT NULL
