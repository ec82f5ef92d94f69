-- One row per authorization: does it count today, and how many visits has it used, ahead and left?
WITH dated AS (
    SELECT
        a.authorization_id,
        a.policy_id,
        a.case_id,
        a.patient_id,
        a.starts_on,
        a.ends_on,
        a.visit_limit,
        a.visits_used,
        a.entered_at,
        f.today,
        NOT a.is_stub AND (a.starts_on IS NULL OR a.starts_on <= f.today) AS has_begun,
    FROM staging.authorizations AS a
    LEFT JOIN staging.facilities AS f ON a.facility_id = f.facility_id
),

-- A newer authorization starts later and lasts longer, or was entered later.
-- The last condition keeps two authorizations from replacing each other.
replaced AS (
    SELECT DISTINCT d.authorization_id,
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
            (n.starts_on > d.starts_on AND d.ends_on < COALESCE(n.ends_on, d.ends_on + 1))
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

visits AS (
    SELECT
        d.authorization_id,
        COUNT(*) FILTER (WHERE v.status = 'Completed' AND v.visit_on <= d.today) AS completed,
        COUNT(*) FILTER (WHERE v.is_live AND v.visit_on >= d.today) AS ahead,
    FROM dated AS d
    INNER JOIN staging.appointments AS v ON d.case_id = v.case_id
    WHERE
        (v.is_live OR v.status = 'Completed')
        AND (d.starts_on IS NULL OR v.visit_on >= d.starts_on)
        AND (d.ends_on IS NULL OR v.visit_on <= d.ends_on)
    GROUP BY d.authorization_id
),

counted AS (
    SELECT
        d.authorization_id,
        d.patient_id,
        d.visit_limit,
        d.has_begun AND r.authorization_id IS NULL AS is_current,
        -- A number entered in the EMR goes before our own count.
        CAST(COALESCE(d.visits_used, v.completed, 0) AS INTEGER) AS used,
        CAST(COALESCE(v.ahead, 0) AS INTEGER) AS ahead,
    FROM dated AS d
    LEFT JOIN replaced AS r ON d.authorization_id = r.authorization_id
    LEFT JOIN visits AS v ON d.authorization_id = v.authorization_id
)

SELECT
    c.authorization_id,
    c.patient_id,
    COALESCE(c.is_current, FALSE) AS is_current,
    c.used AS visits_used,
    c.ahead AS visits_ahead,
    -- NULL without a limit; negative when more visits were used than allowed.
    CAST(c.visit_limit - c.used AS INTEGER) AS visits_left,
FROM counted AS c
