WITH timed AS (
    SELECT
        p.policy_id,
        p.patient_id,
        p.case_id,
        COALESCE(c.facility_id, pt.facility_id) AS facility_id,
        p.payer_id,
        p.rank,
        p.starts_on,
        p.ends_on,
        p.authorization_required,
        p.verified_by,
        CASE
            WHEN p.created_at_is_utc THEN p.created_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE p.created_at
        END AS created_at,
        CASE
            WHEN p.verification_requested_at_is_utc
                THEN p.verification_requested_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE p.verification_requested_at
        END AS verification_requested_at,
        CASE
            WHEN p.verified_at_is_utc THEN p.verified_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE p.verified_at
        END AS verified_at,
    FROM extract.policies AS p
    LEFT JOIN staging.cases AS c ON p.case_id = c.case_id
    LEFT JOIN staging.patients AS pt ON p.patient_id = pt.patient_id
    LEFT JOIN staging.facilities AS f ON COALESCE(c.facility_id, pt.facility_id) = f.facility_id
)

SELECT
    t.policy_id,
    t.patient_id,
    t.case_id,
    t.facility_id,
    t.payer_id,
    CASE t.rank
        WHEN 'Primary' THEN 1
        WHEN 'Secondary' THEN 2
        WHEN 'Tertiary' THEN 3
        WHEN 'Other' THEN NULL
        ELSE CAST(t.rank AS INTEGER)
    END AS rank,
    t.starts_on,
    t.ends_on,
    t.created_at,
    t.authorization_required AS is_authorization_required,
    t.verification_requested_at,
    CAST(t.verification_requested_at AS DATE) AS verification_requested_on,
    t.verified_at,
    CAST(t.verified_at AS DATE) AS verified_on,
    t.verified_by,
FROM timed AS t
