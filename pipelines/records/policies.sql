-- A patient's policies: those in force today at the facility first, by rank; then the newest first.
WITH judged AS (
    SELECT
        p.policy_id,
        p.payer_id,
        p.rank,
        p.starts_on,
        p.ends_on,
        (p.starts_on IS NULL OR p.starts_on <= f.today)
        AND (p.ends_on IS NULL OR p.ends_on >= f.today) AS is_in_force,
        p.is_authorization_required,
        p.verification_requested_on,
        p.verified_on,
        p.verified_by,
        p.case_id,
    FROM staging.policies AS p
    LEFT JOIN staging.facilities AS f ON p.facility_id = f.facility_id
    WHERE p.patient_id = $patient_id
)

SELECT
    j.policy_id,
    COALESCE(y.name, j.payer_id) AS payer,
    CASE j.rank
        WHEN 1 THEN 'Primary'
        WHEN 2 THEN 'Secondary'
        WHEN 3 THEN 'Tertiary'
        ELSE COALESCE('Rank ' || CAST(j.rank AS VARCHAR), 'Other')
    END AS rank,
    j.starts_on,
    j.ends_on,
    j.is_in_force,
    j.is_authorization_required,
    j.verification_requested_on,
    j.verified_on,
    COALESCE(s.name, j.verified_by) AS verified_by,
    j.case_id,
FROM judged AS j
LEFT JOIN staging.payers AS y ON j.payer_id = y.payer_id
LEFT JOIN staging.staff AS s ON j.verified_by = s.staff_id
ORDER BY
    CASE WHEN j.is_in_force THEN 0 ELSE 1 END ASC,
    CASE WHEN j.is_in_force THEN j.rank ELSE 0 END ASC,
    COALESCE(j.starts_on, DATE '1900-01-01') DESC,
    j.rank ASC,
    LPAD(j.policy_id, 64, '0') ASC,
    j.policy_id ASC
