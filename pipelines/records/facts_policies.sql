-- The facts behind a task about a policy.
SELECT
    p.name AS policy_of,
    l.rank,
    l.starts_on AS valid_from,
    l.ends_on AS valid_to,
    l.verification_requested_at AS verification_requested,
    l.verified_at AS verified,
    l.verified_by,
    l.policy_id,
FROM staging.policies AS l
LEFT JOIN staging.payers AS p ON l.payer_id = p.payer_id
WHERE l.policy_id = $subject_id
