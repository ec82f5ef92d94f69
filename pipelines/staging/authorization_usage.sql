-- One row per authorization: does it count today, how much of it is used and left, and does a
-- newer one cover the visits that are booked after it?
WITH dated AS (
    SELECT
        a.authorization_id,
        a.policy_id,
        a.case_id,
        a.patient_id,
        a.starts_on,
        a.ends_on,
        a.limit_unit,
        a.visit_limit,
        a.visits_used,
        a.is_stub,
        a.entered_at,
        a.entered_on,
        f.today,
        NOT a.is_stub AND (a.starts_on IS NULL OR a.starts_on <= f.today) AS has_begun,
    FROM staging.authorizations AS a
    LEFT JOIN staging.facilities AS f ON a.facility_id = f.facility_id
),

policies AS (
    SELECT
        p.policy_id,
        p.patient_id,
        p.case_id,
        p.rank,
        p.starts_on,
        p.created_at,
        p.is_authorization_required,
        COALESCE(p.starts_on > f.today, FALSE) AS is_to_begin,
        COALESCE(p.ends_on < f.today, FALSE) AS is_ended,
    FROM staging.policies AS p
    LEFT JOIN staging.facilities AS f ON p.facility_id = f.facility_id
),

-- Staff add the new policy and often leave the old one without an end. A policy of one case
-- replaces one of the patient for that case only.
replaced_policies AS (
    SELECT
        p.policy_id,
        n.case_id,
        ROW_NUMBER() OVER (
            PARTITION BY p.policy_id, n.case_id
            ORDER BY n.starts_on ASC, n.created_at ASC, LPAD(n.policy_id, 64, '0') ASC, n.policy_id
        ) AS choice,
        n.policy_id AS next_policy_id,
    FROM policies AS p
    INNER JOIN policies AS n
        ON
            p.patient_id = n.patient_id
            AND p.rank = n.rank
            AND p.policy_id <> n.policy_id
            AND (p.case_id IS NULL OR p.case_id = n.case_id)
    WHERE
        NOT n.is_to_begin
        AND NOT n.is_ended
        AND (
            n.starts_on > p.starts_on
            OR (COALESCE(n.starts_on = p.starts_on, TRUE) AND n.created_at > p.created_at)
        )
),

covered AS (
    SELECT
        d.authorization_id,
        GREATEST(
            d.entered_on,
            COALESCE(d.starts_on, d.entered_on),
            COALESCE(p.starts_on, d.entered_on),
            COALESCE(CAST(p.created_at AS DATE), d.entered_on)
        ) AS counts_from,
        CASE
            WHEN NOT p.is_authorization_required THEN 'not required'
            WHEN p.is_ended THEN 'ended'
            WHEN p.is_to_begin THEN 'not begun'
            WHEN COALESCE(c.next_policy_id, r.next_policy_id) IS NOT NULL THEN 'replaced'
            ELSE 'in force'
        END AS policy_state,
        COALESCE(c.next_policy_id, r.next_policy_id) AS next_policy_id,
    FROM dated AS d
    LEFT JOIN policies AS p ON d.policy_id = p.policy_id
    LEFT JOIN replaced_policies AS c
        ON d.policy_id = c.policy_id AND d.case_id = c.case_id AND c.choice = 1
    LEFT JOIN replaced_policies AS r
        ON d.policy_id = r.policy_id AND r.case_id IS NULL AND r.choice = 1
),

-- A newer authorization starts later and lasts longer, or was entered later.
-- The last condition keeps two authorizations from replacing each other.
newer AS (
    SELECT
        d.authorization_id,
        n.starts_on,
        n.entered_on,
        COALESCE(n.starts_on > d.today, FALSE) AS is_to_begin,
    FROM dated AS d
    INNER JOIN staging.authorizations AS n
        ON
            d.policy_id = n.policy_id
            AND d.case_id = n.case_id
            AND d.authorization_id <> n.authorization_id
    WHERE
        d.has_begun
        AND NOT n.is_stub
        AND (n.ends_on IS NULL OR n.ends_on >= COALESCE(d.ends_on, d.today))
        AND (
            (
                n.starts_on > COALESCE(d.starts_on, n.starts_on - 1)
                AND d.ends_on < COALESCE(n.ends_on, d.ends_on + 1)
            )
            OR (
                (
                    n.entered_at > d.entered_at
                    OR (
                        n.entered_at = d.entered_at
                        AND LPAD(n.authorization_id, 64, '0') || n.authorization_id
                        > LPAD(d.authorization_id, 64, '0') || d.authorization_id
                    )
                )
                AND NOT (
                    COALESCE(d.starts_on > n.starts_on, FALSE)
                    AND d.ends_on IS NULL
                    AND n.ends_on IS NOT NULL
                )
            )
        )
),

-- One that has begun replaces the older one; of those to begin, the first takes over.
renewals AS (
    SELECT
        n.authorization_id,
        BOOL_OR(NOT n.is_to_begin) AS is_replaced,
        MIN(n.starts_on) AS next_starts_on,
        MAX(n.starts_on) AS last_starts_on,
        MIN(n.entered_on) AS renewed_on,
    FROM newer AS n
    GROUP BY n.authorization_id
),

standing AS (
    SELECT
        d.authorization_id,
        d.policy_id,
        d.case_id,
        d.patient_id,
        d.starts_on,
        d.ends_on,
        d.limit_unit,
        d.visit_limit,
        d.visits_used,
        d.today,
        d.has_begun AND NOT COALESCE(r.is_replaced, FALSE) AS is_standing,
        r.is_replaced,
        r.next_starts_on,
        r.last_starts_on,
        r.renewed_on,
    FROM dated AS d
    LEFT JOIN renewals AS r ON d.authorization_id = r.authorization_id
),

visits AS (
    SELECT
        s.authorization_id,
        COUNT(*) FILTER (WHERE v.status = 'Completed' AND v.visit_on <= s.today) AS completed,
        COUNT(*) FILTER (
            WHERE
            v.is_live
            AND v.visit_on >= s.today
            AND (s.next_starts_on IS NULL OR v.visit_on < s.next_starts_on)
        ) AS ahead,
    FROM standing AS s
    INNER JOIN staging.appointments AS v ON s.case_id = v.case_id
    WHERE
        (v.is_live OR v.status = 'Completed')
        AND (s.starts_on IS NULL OR v.visit_on >= s.starts_on)
        AND (s.ends_on IS NULL OR v.visit_on <= s.ends_on)
    GROUP BY s.authorization_id
),

-- Not only visits from today on: that a visit's day passes covers nothing.
visits_after AS (
    SELECT
        s.authorization_id,
        s.policy_id,
        s.case_id,
        v.appointment_id,
        v.visit_on,
        v.created_on,
        v.is_live,
        COALESCE(v.visit_on < s.last_starts_on, FALSE) AS is_between,
        s.renewed_on,
    FROM standing AS s
    INNER JOIN staging.appointments AS v ON s.case_id = v.case_id
    WHERE s.is_standing AND v.visit_on > s.ends_on AND (v.is_live OR v.status = 'Completed')
),

covered_visits AS (
    SELECT DISTINCT
        v.authorization_id,
        v.appointment_id,
    FROM visits_after AS v
    INNER JOIN staging.authorizations AS o ON v.policy_id = o.policy_id AND v.case_id = o.case_id
    WHERE
        NOT o.is_stub
        AND (o.starts_on IS NULL OR o.starts_on <= v.visit_on)
        AND (o.ends_on IS NULL OR o.ends_on >= v.visit_on)
),

uncovered AS (
    SELECT
        v.authorization_id,
        MIN(v.visit_on) FILTER (WHERE v.is_live) AS booked_on,
        MIN(v.visit_on) AS visit_on,
        BOOL_OR(v.is_between) AS has_gap,
        -- NULL where a visit between the two was booked before the renewal was entered.
        CASE
            WHEN MIN(v.created_on) FILTER (WHERE v.is_between) > MIN(v.renewed_on)
                THEN MIN(v.created_on) FILTER (WHERE v.is_between)
        END AS gap_booked_on,
    FROM visits_after AS v
    LEFT JOIN covered_visits AS c
        ON v.authorization_id = c.authorization_id AND v.appointment_id = c.appointment_id
    WHERE c.appointment_id IS NULL
    GROUP BY v.authorization_id
),

known AS (
    SELECT
        s.authorization_id,
        -- Without a start, its visits may be from any day.
        COALESCE(
            s.starts_on >= CAST($appointments_since AS DATE),
            CAST($appointments_since AS DATE) IS NULL
        ) AS sees_all_visits,
    FROM standing AS s
),

counted AS (
    SELECT
        s.authorization_id,
        s.patient_id,
        s.is_standing,
        s.visit_limit,
        s.is_replaced,
        s.next_starts_on,
        -- Only the EMR counts units; a number of visits entered there goes before our own count.
        CASE
            WHEN s.limit_unit = 'units' THEN s.visits_used
            WHEN s.visits_used IS NULL AND NOT k.sees_all_visits THEN NULL
            ELSE CAST(COALESCE(s.visits_used, v.completed, 0) AS INTEGER)
        END AS used,
        s.limit_unit = 'units' OR s.visits_used IS NOT NULL OR k.sees_all_visits AS is_counted,
        s.limit_unit = 'visits'
        AND k.sees_all_visits
        AND COALESCE(s.visits_used, v.completed, 0) = COALESCE(v.completed, 0) AS has_all_visits,
        CAST(COALESCE(v.ahead, 0) AS INTEGER) AS ahead,
    FROM standing AS s
    INNER JOIN known AS k ON s.authorization_id = k.authorization_id
    LEFT JOIN visits AS v ON s.authorization_id = v.authorization_id
)

SELECT
    c.authorization_id,
    c.patient_id,
    -- Visits of today count against it, and its policy needs an authorization.
    COALESCE(c.is_standing AND p.policy_state = 'in force', FALSE) AS is_current,
    -- A newer one has begun, or begins without leaving a visit uncovered before.
    COALESCE(
        c.is_replaced OR (c.next_starts_on IS NOT NULL AND NOT COALESCE(u.has_gap, FALSE)), FALSE
    ) AS is_renewed,
    p.policy_state,
    p.next_policy_id,
    -- The newest of the facts without which it would not count.
    p.counts_from,
    c.used AS visits_used,
    -- FALSE where visits from before the first day of the appointments may count, too.
    c.is_counted,
    -- Booked visits that count against it: a newer one takes those from its start on.
    c.ahead AS visits_ahead,
    -- NULL without a limit; negative when more was used than allowed.
    CAST(c.visit_limit - c.used AS INTEGER) AS visits_left,
    -- Whether the visits used are the completed visits of the extract, so that each has its day.
    c.has_all_visits,
    -- The first visit after its end that no authorization covers, a booked one if there is one.
    COALESCE(u.booked_on, u.visit_on) AS uncovered_on,
    c.next_starts_on,
    u.gap_booked_on,
FROM counted AS c
INNER JOIN covered AS p ON c.authorization_id = p.authorization_id
LEFT JOIN uncovered AS u ON c.authorization_id = u.authorization_id
