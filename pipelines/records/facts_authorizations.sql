-- The facts behind a task about an authorization.
SELECT
    a.number AS authorization_number,
    p.name AS authorized_by,
    a.starts_on AS valid_from,
    a.ends_on AS valid_to,
    a.visit_limit,
    a.visits_used,
    a.authorization_id,
FROM staging.authorizations AS a
LEFT JOIN staging.policies AS l ON a.policy_id = l.policy_id
LEFT JOIN staging.payers AS p ON l.payer_id = p.payer_id
WHERE a.authorization_id = $subject_id
