WITH timed AS (
    SELECT
        cl.claim_id,
        cl.case_id,
        c.patient_id,
        COALESCE(a.facility_id, c.facility_id) AS facility_id,
        cl.policy_id,
        cl.appointment_id,
        cl.date_of_service,
        CASE
            WHEN a.case_id = cl.case_id THEN a.visit_on
            ELSE cl.date_of_service
        END AS account_on,
        cl.status,
        cl.patient_responsibility,
        CASE
            WHEN cl.processed_at_is_utc
                THEN cl.processed_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE cl.processed_at
        END AS processed_at,
    FROM extract.claims AS cl
    LEFT JOIN staging.cases AS c ON cl.case_id = c.case_id
    LEFT JOIN staging.appointments AS a ON cl.appointment_id = a.appointment_id
    LEFT JOIN staging.facilities AS f ON COALESCE(a.facility_id, c.facility_id) = f.facility_id
)

SELECT
    t.claim_id,
    t.case_id,
    t.patient_id,
    t.facility_id,
    t.policy_id,
    t.appointment_id,
    t.date_of_service,
    -- The day of the visit it bills, where it names one: payments are entered for that day.
    t.account_on,
    t.status,
    t.patient_responsibility,
    t.processed_at,
    CAST(t.processed_at AS DATE) AS processed_on,
    CASE WHEN t.processed_at IS NOT NULL THEN t.patient_responsibility END AS left_to_patient,
FROM timed AS t
