/* A care plan that has begun is a case. Care outside of plans is one more case a patient, which
   ends with its last visit, since nothing says that it goes on. */
SELECT
    c.id AS case_id,
    c.patient AS patient_id,
    COALESCE(l.facility_id, p.facility_id) AS facility_id,
    l.provider_id AS therapist_id,
    c.start AS opened_on,
    CASE
        WHEN TRY_CAST(LEFT(c.stop, 10) AS DATE) <= CAST($as_of AS DATE) THEN c.stop
        WHEN TRY_CAST(LEFT(c.stop, 10) AS DATE) IS NULL THEN c.stop -- the contract refuses a text
    END AS discharged_on,
    NULL AS visits_per_week_target,
    NULL AS referring_provider,
    NULL AS referring_fax,
    NULL AS order_signed_on,
FROM source.careplans AS c
LEFT JOIN step.latest AS l ON c.id = l.case_id AND l.place_of_case = 1
LEFT JOIN canonical.patients AS p ON c.patient = p.patient_id
WHERE COALESCE(TRY_CAST(LEFT(c.start, 10) AS DATE) <= CAST($as_of AS DATE), TRUE)
UNION ALL
SELECT
    l.case_id,
    l.patient_id,
    l.facility_id,
    l.provider_id AS therapist_id,
    CAST(l.first_on AS VARCHAR) AS opened_on,
    CAST(l.latest_on AS VARCHAR) AS discharged_on,
    NULL AS visits_per_week_target,
    NULL AS referring_provider,
    NULL AS referring_fax,
    NULL AS order_signed_on,
FROM step.latest AS l
WHERE l.place_of_case = 1 AND l.case_id = l.patient_id
