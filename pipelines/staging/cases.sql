SELECT
    c.case_id,
    c.patient_id,
    c.facility_id,
    c.therapist_id,
    c.opened_on,
    c.discharged_on,
    -- A discharge may be entered for a later day.
    COALESCE(c.discharged_on <= f.today, FALSE) AS is_discharged,
    c.visits_per_week_target,
    c.referring_provider,
    c.referring_fax,
    c.order_signed_on,
FROM extract.cases AS c
LEFT JOIN staging.facilities AS f ON c.facility_id = f.facility_id
