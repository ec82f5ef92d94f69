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
looks_back   = ["appointments"]    # the visits since the authorization began, or since it ended
may_lack     = ["appointments"]    # dates, and what the EMR says is used, then decide alone
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
INNER JOIN crossed AS c ON w.authorization_id = c.authorization_id;

/* unseen */
SELECT a.authorization_id AS subject_id,
FROM staging.authorizations AS a
INNER JOIN staging.authorization_usage AS u ON a.authorization_id = u.authorization_id
WHERE
    u.is_current
    AND (
        (NOT u.is_renewed AND NOT u.is_counted AND a.visit_limit IS NOT NULL)
        -- A visit between the end and the next one may be missing.
        OR (
            u.is_renewed
            AND u.next_starts_on IS NOT NULL
            AND a.ends_on + 1 < CAST($appointments_since AS DATE)
        )
    );

/* evidence */
WITH departed AS (
    SELECT
        l.subject_id,
        l.opened_at AT TIME ZONE f.time_zone AS opened_at,
        f.today,
        a.policy_id,
        a.case_id,
        a.starts_on,
        a.ends_on,
        a.is_stub,
        u.is_renewed,
        u.policy_state,
        u.next_policy_id,
        u.visits_ahead,
        u.visits_left,
        'authorization ' || COALESCE(a.number, a.authorization_id) AS name,
        CAST(u.visits_left AS VARCHAR) || ' of ' || CAST(a.visit_limit AS VARCHAR)
        || ' ' || a.limit_unit AS what_is_left,
        -- What the task said: the end, what was left, and the visit that nothing covers.
        CASE
            WHEN STRPOS(l.reason, ' ends on ') > 0
                THEN SUBSTR(l.reason, STRPOS(l.reason, ' ends on ') + 9, 10)
        END AS said_end,
        CASE
            WHEN STRPOS(l.reason, ' has ') > 0
                THEN
                    SUBSTR(
                        l.reason,
                        STRPOS(l.reason, ' has ') + 5,
                        STRPOS(l.reason, ' left') - STRPOS(l.reason, ' has ') - 5
                    )
        END AS said_left,
        CASE
            WHEN STRPOS(l.reason, ' covers the visit on ') > 0
                THEN SUBSTR(l.reason, STRPOS(l.reason, ' covers the visit on ') + 21, 10)
        END AS said_visit,
    FROM leaving AS l
    INNER JOIN staging.authorizations AS a ON l.subject_id = a.authorization_id
    INNER JOIN staging.authorization_usage AS u ON a.authorization_id = u.authorization_id
    INNER JOIN staging.facilities AS f ON a.facility_id = f.facility_id
),

-- The authorizations that last at least as long, with what the run before knew of them.
others AS (
    SELECT
        d.subject_id,
        n.authorization_id,
        'authorization ' || COALESCE(n.number, n.authorization_id) AS name,
        n.starts_on,
        n.ends_on,
        n.entered_on,
        n.entered_at >= d.opened_at AS is_recent,
        CASE
            WHEN b.authorization_id IS NULL THEN 'new'
            WHEN (n.starts_on IS DISTINCT FROM b.starts_on) THEN 'start'
            WHEN (n.ends_on IS DISTINCT FROM b.ends_on) THEN 'end'
            ELSE 'same'
        END AS change,
        b.starts_on AS started_on,
        b.ends_on AS ended_on,
    FROM departed AS d
    INNER JOIN staging.authorizations AS n
        ON
            d.policy_id = n.policy_id
            AND d.case_id = n.case_id
            AND d.subject_id <> n.authorization_id
    -- A placeholder, or one of another policy, was no renewal yet.
    LEFT JOIN before.authorizations AS b
        ON
            n.authorization_id = b.authorization_id
            AND n.policy_id = b.policy_id
            AND n.case_id = b.case_id
            AND NOT b.is_stub
    WHERE
        d.is_renewed
        AND NOT n.is_stub
        AND (n.ends_on IS NULL OR n.ends_on >= COALESCE(d.ends_on, d.today))
),

renewals AS (
    SELECT
        o.subject_id,
        o.authorization_id,
        o.name,
        o.starts_on,
        o.ends_on,
        o.entered_on,
        o.is_recent,
        o.change,
        o.started_on,
        o.ended_on,
        ROW_NUMBER() OVER (
            PARTITION BY o.subject_id
            ORDER BY
                CASE o.change WHEN 'new' THEN 1 WHEN 'same' THEN 3 ELSE 2 END,
                o.starts_on,
                LPAD(o.authorization_id, 64, '0'),
                o.authorization_id
        ) AS choice,
    FROM others AS o
),

-- The visit that the task named, where it is not between the two any more.
visits AS (
    SELECT
        d.subject_id,
        b.appointment_id,
        v.status,
        v.visit_on,
        ROW_NUMBER() OVER (
            PARTITION BY d.subject_id
            ORDER BY b.starts_at, LPAD(b.appointment_id, 64, '0'), b.appointment_id
        ) AS choice,
    FROM departed AS d
    INNER JOIN before.appointments AS b
        ON d.case_id = b.case_id AND d.said_visit = CAST(b.visit_on AS VARCHAR)
    LEFT JOIN staging.appointments AS v
        ON b.appointment_id = v.appointment_id AND b.case_id = v.case_id
    WHERE
        d.is_renewed
        AND (b.is_live OR b.status = 'Completed')
        AND (
            v.appointment_id IS NULL
            OR v.visit_on <> b.visit_on
            OR v.status IN ('Cancelled', 'No Show')
        )
),

causes AS (
    SELECT
        d.subject_id,
        CASE
            WHEN r.change = 'new' THEN 'renewed'
            WHEN d.policy_state <> 'in force' THEN d.policy_state
            WHEN d.is_stub THEN 'placeholder'
            WHEN d.starts_on > d.today THEN 'starts later'
            WHEN v.appointment_id IS NOT NULL THEN 'visit'
            WHEN r.change = 'start' THEN 'other start'
            WHEN r.change = 'end' THEN 'other end'
            WHEN r.is_recent THEN 'renewed'
            WHEN d.said_visit IS NOT NULL AND r.starts_on <= d.today THEN 'begun'
            WHEN d.is_renewed THEN 'covered'
            WHEN d.said_end <> COALESCE(CAST(d.ends_on AS VARCHAR), '') THEN 'own end'
            WHEN d.said_left <> COALESCE(d.what_is_left, '') THEN 'count'
            WHEN d.said_left IS NOT NULL AND d.visits_ahead > d.visits_left THEN 'overbooked'
        END AS cause,
        d.policy_id,
        d.next_policy_id,
        d.name,
        d.starts_on,
        d.ends_on,
        d.visits_ahead,
        d.what_is_left,
        d.said_end,
        d.said_left,
        d.said_visit,
        r.authorization_id AS next_id,
        r.name AS next_name,
        r.starts_on AS next_starts_on,
        r.ends_on AS next_ends_on,
        r.entered_on AS next_entered_on,
        r.started_on AS next_started_on,
        r.ended_on AS next_ended_on,
        v.appointment_id,
        v.status AS visit_status,
        v.visit_on,
    FROM departed AS d
    LEFT JOIN renewals AS r ON d.subject_id = r.subject_id AND r.choice = 1
    LEFT JOIN visits AS v ON d.subject_id = v.subject_id AND v.choice = 1
)

SELECT
    c.subject_id,
    c.cause = 'renewed' AS is_work,
    CASE
        WHEN c.cause IN ('not required', 'ended', 'not begun', 'replaced') THEN 'policies'
        WHEN c.cause = 'visit' THEN 'appointments'
        ELSE 'authorizations'
    END AS record_table,
    CASE
        WHEN c.cause IN ('not required', 'ended', 'not begun') THEN c.policy_id
        WHEN c.cause = 'replaced' THEN c.next_policy_id
        WHEN c.cause = 'visit' THEN c.appointment_id
        WHEN c.cause IN ('renewed', 'other start', 'other end', 'begun', 'covered') THEN c.next_id
        ELSE c.subject_id
    END AS record_id,
    CASE c.cause
        WHEN 'renewed' THEN c.next_entered_on
        WHEN 'ended' THEN p.ends_on
        WHEN 'replaced' THEN q.starts_on
        WHEN 'begun' THEN c.next_starts_on
    END AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    CASE c.cause
        WHEN 'renewed'
            THEN
                c.next_name || ' entered on ' || CAST(c.next_entered_on AS VARCHAR)
                || COALESCE(', from ' || CAST(c.next_starts_on AS VARCHAR), '')
                || COALESCE(' to ' || CAST(c.next_ends_on AS VARCHAR), '')
        WHEN 'not required' THEN 'policy ' || c.policy_id || ' requires no authorization any more'
        WHEN 'ended' THEN 'policy ' || c.policy_id || ' ended on ' || CAST(p.ends_on AS VARCHAR)
        WHEN 'not begun'
            THEN 'policy ' || c.policy_id || ' starts only on ' || CAST(p.starts_on AS VARCHAR)
        WHEN 'replaced'
            THEN 'policy ' || c.next_policy_id || ' has replaced policy ' || c.policy_id
        WHEN 'placeholder' THEN c.name || ' is a placeholder now'
        WHEN 'starts later' THEN c.name || ' starts only on ' || CAST(c.starts_on AS VARCHAR)
        WHEN 'visit'
            THEN
                'the visit on ' || c.said_visit
                || CASE
                    WHEN c.visit_status = 'Cancelled' THEN ' was cancelled'
                    WHEN c.visit_status = 'No Show' THEN ' was a no-show'
                    ELSE
                        COALESCE(
                            ' was moved to ' || CAST(c.visit_on AS VARCHAR),
                            ' is gone from the schedule of the case'
                        )
                END
                || '; ' || c.next_name || ' covers the visits that follow'
        WHEN 'other start'
            THEN
                c.next_name || ' starts on '
                || COALESCE(CAST(c.next_starts_on AS VARCHAR), 'no set day')
                || ' instead of ' || COALESCE(CAST(c.next_started_on AS VARCHAR), 'no set day')
        WHEN 'other end'
            THEN
                c.next_name || ' ends on '
                || COALESCE(CAST(c.next_ends_on AS VARCHAR), 'no set day')
                || ' instead of ' || COALESCE(CAST(c.next_ended_on AS VARCHAR), 'no set day')
        WHEN 'begun'
            THEN
                c.next_name || ' began on ' || CAST(c.next_starts_on AS VARCHAR)
                || '; no authorization covers the visit on ' || c.said_visit
        WHEN 'covered' THEN c.next_name || ' covers the visits that follow'
        WHEN 'own end'
            THEN
                c.name || ' ends on ' || COALESCE(CAST(c.ends_on AS VARCHAR), 'no set day')
                || ' instead of ' || c.said_end
        WHEN 'count'
            THEN c.said_left || ' left → ' || COALESCE(c.what_is_left || ' left', 'no limit')
        WHEN 'overbooked'
            THEN
                CAST(c.visits_ahead AS VARCHAR) || ' visits are scheduled with '
                || c.what_is_left || ' left, which is an Authorization Limit'
    END AS says,
FROM causes AS c
LEFT JOIN staging.policies AS p ON c.policy_id = p.policy_id
LEFT JOIN staging.policies AS q ON c.next_policy_id = q.policy_id
WHERE c.cause IS NOT NULL
