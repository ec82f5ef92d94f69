-- A patient's authorizations with the visits they have used, counted as rules/authorization_limit.sql counts them; the latest first.
WITH mine AS (
    SELECT
        a.authorization_id,
        a.policy_id,
        a.case_id,
        a.number,
        a.starts_on,
        a.ends_on,
        a.visit_limit,
        a.visits_used,
        a.is_stub,
        a.entered_at,
        a.entered_on,
        a.document_uploaded_at,
        f.today,
    FROM staging.authorizations AS a
    LEFT JOIN staging.facilities AS f ON a.facility_id = f.facility_id
    WHERE a.patient_id = $patient_id
),

visits AS (
    SELECT
        m.authorization_id,
        COUNT(*) AS completed,
    FROM mine AS m
    INNER JOIN staging.appointments AS v ON m.case_id = v.case_id
    WHERE
        v.status = 'Completed'
        AND v.visit_on <= m.today
        AND (m.starts_on IS NULL OR v.visit_on >= m.starts_on)
        AND (m.ends_on IS NULL OR v.visit_on <= m.ends_on)
    GROUP BY m.authorization_id
),

counted AS (
    SELECT
        m.authorization_id,
        CAST(COALESCE(m.visits_used, v.completed, 0) AS INTEGER) AS used,
    FROM mine AS m
    LEFT JOIN visits AS v ON m.authorization_id = v.authorization_id
)

SELECT
    m.authorization_id,
    m.number,
    COALESCE(y.name, p.payer_id) AS payer,
    m.case_id,
    m.starts_on,
    m.ends_on,
    m.visit_limit,
    c.used AS visits_used,
    -- Without a limit nobody counts; GREATEST alone would pass over its NULL and say none left.
    CASE WHEN m.visit_limit IS NOT NULL THEN GREATEST(m.visit_limit - c.used, 0) END AS visits_left,
    m.is_stub,
    m.entered_on,
    m.document_uploaded_at IS NOT NULL AS has_document,
    CASE
        WHEN m.is_stub THEN 'Placeholder'
        WHEN m.ends_on < m.today THEN 'Expired'
        WHEN m.starts_on > m.today THEN 'Not yet begun'
        ELSE 'Active'
    END AS state,
FROM mine AS m
INNER JOIN counted AS c ON m.authorization_id = c.authorization_id
LEFT JOIN staging.policies AS p ON m.policy_id = p.policy_id
LEFT JOIN staging.payers AS y ON p.payer_id = y.payer_id
ORDER BY COALESCE(m.starts_on, m.entered_on) DESC, m.entered_at DESC, m.authorization_id ASC
