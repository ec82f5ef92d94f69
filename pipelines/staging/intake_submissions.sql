WITH timed AS (
    SELECT
        i.submission_id,
        i.patient_id,
        i.case_id,
        COALESCE(c.facility_id, p.facility_id) AS facility_id,
        i.form,
        CASE
            WHEN i.submitted_at_is_utc
                THEN i.submitted_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE i.submitted_at
        END AS submitted_at,
        CASE
            WHEN i.reviewed_at_is_utc THEN i.reviewed_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE i.reviewed_at
        END AS reviewed_at,
    FROM extract.intake_submissions AS i
    LEFT JOIN staging.cases AS c ON i.case_id = c.case_id
    LEFT JOIN staging.patients AS p ON i.patient_id = p.patient_id
    LEFT JOIN staging.facilities AS f ON COALESCE(c.facility_id, p.facility_id) = f.facility_id
)

SELECT
    t.submission_id,
    t.patient_id,
    t.case_id,
    t.facility_id,
    t.form,
    t.submitted_at,
    CAST(t.submitted_at AS DATE) AS submitted_on,
    t.reviewed_at,
FROM timed AS t
