-- A patient's authorizations, the latest first, with the visits used as the rules count them.
SELECT
    a.authorization_id,
    a.number,
    COALESCE(y.name, p.payer_id) AS payer,
    a.case_id,
    a.starts_on,
    a.ends_on,
    a.visit_limit,
    a.limit_unit,
    u.visits_used,
    -- GREATEST ignores NULL and would show 0 left where there is no limit.
    CASE WHEN u.visits_left IS NOT NULL THEN GREATEST(u.visits_left, 0) END AS visits_left,
    a.is_stub,
    a.entered_on,
    a.document_uploaded_at IS NOT NULL AS has_document,
    CASE
        WHEN a.is_stub THEN 'Placeholder'
        WHEN a.ends_on < f.today THEN 'Expired'
        WHEN a.starts_on > f.today THEN 'Not yet begun'
        ELSE 'Active'
    END AS state,
FROM staging.authorizations AS a
INNER JOIN staging.authorization_usage AS u ON a.authorization_id = u.authorization_id
LEFT JOIN staging.facilities AS f ON a.facility_id = f.facility_id
LEFT JOIN staging.policies AS p ON a.policy_id = p.policy_id
LEFT JOIN staging.payers AS y ON p.payer_id = y.payer_id
WHERE a.patient_id = $patient_id
ORDER BY
    COALESCE(a.starts_on, a.entered_on) DESC,
    a.entered_at DESC,
    LPAD(a.authorization_id, 64, '0') ASC,
    a.authorization_id ASC
