WITH used AS (
    SELECT
        a.authorization_id,
        COUNT(*) AS visits,
    FROM facts_authorizations AS a
    INNER JOIN facility_list AS c ON a.facility_id = c.facility_id
    INNER JOIN facts_appointments AS v
        ON a.case_id = v.case_id
    WHERE
        (a.is_counted OR a.units_a_visit > 0)
        AND v.outcome = 'Completed'
        AND v.settled_at <= c.now_at
        AND CAST(v.starts_at AS DATE) BETWEEN a.starts_on AND a.ends_on
    GROUP BY a.authorization_id
)

SELECT
    a.authorization_id,
    a.policy_id,
    a.case_id,
    CASE
        WHEN NOT a.is_stub
            THEN 'PA' || LPAD(CAST(a.authorization_id * 7 % 1000000 AS VARCHAR), 6, '0')
    END AS number,
    a.starts_on,
    a.ends_on,
    CASE WHEN a.visit_limit >= 0 THEN a.visit_limit END AS visit_limit,
    CASE
        WHEN a.units_a_visit > 0 THEN a.units_a_visit * COALESCE(u.visits, 0)
        WHEN a.is_counted THEN COALESCE(u.visits, 0)
    END AS visits_used,
    CASE WHEN a.units_a_visit > 0 THEN 'units' END AS limit_unit,
    a.is_stub,
    a.entered_at,
    CASE
        WHEN a.document_uploaded_at <= c.now_at THEN a.document_uploaded_at
    END AS document_uploaded_at,
FROM facts_authorizations AS a
INNER JOIN facility_list AS c ON a.facility_id = c.facility_id
LEFT JOIN used AS u ON a.authorization_id = u.authorization_id
WHERE a.entered_at <= c.now_at
ORDER BY a.authorization_id
