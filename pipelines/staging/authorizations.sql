WITH timed AS (
    SELECT
        a.authorization_id,
        a.policy_id,
        a.case_id,
        c.patient_id,
        c.facility_id,
        a.number,
        a.starts_on,
        a.ends_on,
        a.visit_limit,
        a.visits_used,
        COALESCE(a.limit_unit, 'visits') AS limit_unit,
        a.is_stub,
        CASE
            WHEN a.entered_at_is_utc THEN a.entered_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE a.entered_at
        END AS entered_at,
        CASE
            WHEN a.document_uploaded_at_is_utc
                THEN a.document_uploaded_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE a.document_uploaded_at
        END AS document_uploaded_at,
    FROM extract.authorizations AS a
    LEFT JOIN staging.cases AS c ON a.case_id = c.case_id
    LEFT JOIN staging.facilities AS f ON c.facility_id = f.facility_id
)

SELECT
    t.authorization_id,
    t.policy_id,
    t.case_id,
    t.patient_id,
    t.facility_id,
    t.number,
    t.starts_on,
    t.ends_on,
    -- A limit of 0 means that visits are not limited.
    NULLIF(t.visit_limit, 0) AS visit_limit,
    t.visits_used,
    t.limit_unit,
    t.is_stub,
    t.entered_at,
    CAST(t.entered_at AS DATE) AS entered_on,
    t.document_uploaded_at,
    CAST(t.document_uploaded_at AS DATE) AS document_uploaded_on,
FROM timed AS t
