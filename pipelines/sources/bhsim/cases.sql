-- An enrollment is a case once it has begun. Its therapist is the one of the latest visit; its
-- facility is the one with most visits.
WITH last_seen AS (
    SELECT
        v.case_id,
        v.employee_id,
        ROW_NUMBER() OVER (
            PARTITION BY v.case_id
            ORDER BY v.began_at DESC, LPAD(v.visit_id, 64, '0') DESC, v.visit_id DESC
        ) AS place,
    FROM step.visits AS v
    WHERE v.began_at <= $as_of
),

visit_counts AS (
    SELECT
        v.case_id,
        v.location_id,
        ROW_NUMBER() OVER (
            PARTITION BY v.case_id
            ORDER BY COUNT(*) DESC, LPAD(v.location_id, 64, '0') ASC, v.location_id ASC
        ) AS place,
    FROM step.visits AS v
    GROUP BY v.case_id, v.location_id
)

SELECT
    ip.enrollment_id AS case_id,
    ip.individual_id AS patient_id,
    COALESCE(c.location_id, p.facility_id) AS facility_id,
    s.employee_id AS therapist_id,
    COALESCE(CAST(TRY_CAST(ip.start_date AS DATE) AS VARCHAR), ip.start_date) AS opened_on,
    CASE
        WHEN TRY_CAST(ip.end_date AS DATE) <= CAST($as_of AS DATE)
            THEN CAST(TRY_CAST(ip.end_date AS DATE) AS VARCHAR)
        -- A text that is no day stays, so that the contract refuses the row.
        WHEN TRY_CAST(ip.end_date AS DATE) IS NULL THEN ip.end_date
    END AS discharged_on,
    NULL AS visits_per_week_target,
    NULL AS referring_provider,
    NULL AS referring_fax,
    NULL AS order_signed_on,
FROM source.individual_programs AS ip
LEFT JOIN canonical.patients AS p ON ip.individual_id = p.patient_id
LEFT JOIN last_seen AS s ON ip.enrollment_id = s.case_id AND s.place = 1
LEFT JOIN visit_counts AS c ON ip.enrollment_id = c.case_id AND c.place = 1
WHERE
    COALESCE(
        TRY_CAST(ip.start_date AS DATE) <= CAST($as_of AS DATE),
        ip.start_date IS NOT NULL
    )
