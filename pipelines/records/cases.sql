-- A patient's cases, the open ones first, then the newest.
SELECT
    c.case_id,
    COALESCE(f.name, c.facility_id) AS facility,
    COALESCE(s.name, c.therapist_id) AS therapist,
    c.opened_on,
    c.discharged_on,
    CASE WHEN c.is_discharged THEN 'Discharged' ELSE 'Open' END AS status,
    c.visits_per_week_target,
    c.referring_provider,
FROM staging.cases AS c
LEFT JOIN staging.facilities AS f ON c.facility_id = f.facility_id
LEFT JOIN staging.staff AS s ON c.therapist_id = s.staff_id
WHERE c.patient_id = $patient_id
ORDER BY
    CASE WHEN c.is_discharged THEN 1 ELSE 0 END ASC,
    c.opened_on DESC,
    LPAD(c.case_id, 64, '0') ASC,
    c.case_id ASC
