WITH timed AS (
    SELECT
        s.survey_id,
        s.case_id,
        c.patient_id,
        c.facility_id,
        s.kind,
        CASE
            WHEN s.completed_at_is_utc
                THEN s.completed_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE s.completed_at
        END AS completed_at,
    FROM extract.surveys AS s
    LEFT JOIN staging.cases AS c ON s.case_id = c.case_id
    LEFT JOIN staging.facilities AS f ON c.facility_id = f.facility_id
)

SELECT
    t.survey_id,
    t.case_id,
    t.patient_id,
    t.facility_id,
    t.kind,
    t.completed_at,
    CAST(t.completed_at AS DATE) AS completed_on,
FROM timed AS t
