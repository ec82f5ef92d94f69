SELECT
    p.policy_id,
    p.patient_id,
    p.case_id,
    p.payer_id,
    p.rank,
    p.starts_on,
    p.ends_on,
    p.created_at,
    p.authorization_required,
    CASE
        WHEN p.verification_requested_at <= c.now_at THEN p.verification_requested_at
    END AS verification_requested_at,
    CASE WHEN p.verified_at <= c.now_at THEN p.verified_at END AS verified_at,
    CASE WHEN p.verified_at <= c.now_at THEN 'Verification Team' END AS verified_by,
FROM facts_policies AS p
INNER JOIN facility_list AS c ON p.facility_id = c.facility_id
WHERE p.created_at <= c.now_at
ORDER BY p.policy_id
