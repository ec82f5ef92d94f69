-- The facts behind a task about an authorization.
SELECT
    a.number AS authorization_number,
    p.name AS authorized_by,
    u.policy_state AS its_policy_is,
    a.starts_on AS valid_from,
    a.ends_on AS valid_to,
    CAST(a.visit_limit AS VARCHAR) || ' ' || a.limit_unit AS allowed,
    CASE WHEN a.visit_limit IS NOT NULL THEN u.visits_used END AS used,
    CASE WHEN u.visits_left IS NOT NULL THEN GREATEST(u.visits_left, 0) END AS remaining,
    CASE WHEN u.is_current THEN u.visits_ahead END AS visits_booked,
    u.next_starts_on AS next_one_starts,
    a.authorization_id,
FROM staging.authorizations AS a
INNER JOIN staging.authorization_usage AS u ON a.authorization_id = u.authorization_id
LEFT JOIN staging.policies AS l ON a.policy_id = l.policy_id
LEFT JOIN staging.payers AS p ON l.payer_id = p.payer_id
WHERE a.authorization_id = $subject_id
