WITH authorization_codes AS (
    SELECT UNNEST(CAST($authorization_codes AS VARCHAR[])) AS code,
),

timed AS (
    SELECT
        h.hold_id,
        h.claim_id,
        cl.case_id,
        cl.patient_id,
        cl.facility_id,
        cl.policy_id,
        cl.date_of_service,
        h.reason_code,
        h.reason,
        CASE
            WHEN h.held_at_is_utc THEN h.held_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE h.held_at
        END AS held_at,
        CASE
            WHEN h.released_at_is_utc THEN h.released_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE h.released_at
        END AS released_at,
    FROM extract.claim_holds AS h
    LEFT JOIN staging.claims AS cl ON h.claim_id = cl.claim_id
    LEFT JOIN staging.facilities AS f ON cl.facility_id = f.facility_id
)

SELECT
    t.hold_id,
    t.claim_id,
    t.case_id,
    t.patient_id,
    t.facility_id,
    t.policy_id,
    t.date_of_service,
    t.reason_code,
    t.reason,
    -- Decided only here, so that a hold belongs to exactly one rule.
    EXISTS (
        SELECT 1,
        FROM authorization_codes AS c
        WHERE STRPOS(UPPER(t.reason_code), UPPER(c.code)) > 0
    ) AS is_authorization_hold,
    t.held_at,
    CAST(t.held_at AS DATE) AS held_on,
    t.released_at,
    CAST(t.released_at AS DATE) AS released_on,
FROM timed AS t
