-- A patient's visits: the coming ones first, soonest first, then those behind, newest first.
-- Snapshots are hours old when read, so a visit of today that is not over counts as coming.
WITH visits AS (
    SELECT
        a.appointment_id,
        a.case_id,
        a.facility_id,
        a.staff_id,
        a.starts_at,
        a.status,
        a.amount_due,
        a.reminder_status,
        COALESCE(a.visit_on > f.today OR (a.visit_on = f.today AND a.is_live), FALSE) AS is_coming,
    FROM staging.appointments AS a
    LEFT JOIN staging.facilities AS f ON a.facility_id = f.facility_id
    WHERE a.patient_id = $patient_id
)

SELECT
    v.appointment_id,
    v.is_coming,
    v.starts_at,
    COALESCE(f.name, v.facility_id) AS facility,
    COALESCE(s.name, v.staff_id) AS staff,
    v.status,
    v.amount_due,
    v.reminder_status,
    v.case_id,
FROM visits AS v
LEFT JOIN staging.facilities AS f ON v.facility_id = f.facility_id
LEFT JOIN staging.staff AS s ON v.staff_id = s.staff_id
ORDER BY
    CASE WHEN v.is_coming THEN 0 ELSE 1 END ASC,
    CASE WHEN v.is_coming THEN v.starts_at END ASC,
    v.starts_at DESC,
    LPAD(v.appointment_id, 64, '0') ASC,
    v.appointment_id ASC
