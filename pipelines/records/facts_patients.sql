-- The facts behind a task about a patient: the visits behind and ahead.
SELECT
    p.status AS patient_status,
    MAX(CASE WHEN a.has_happened THEN a.visit_on END) AS last_visit,
    MIN(CASE WHEN a.is_live AND a.visit_on >= f.today THEN a.visit_on END) AS next_visit,
    p.reminder_channel AS reminders_by,
FROM staging.patients AS p
LEFT JOIN staging.appointments AS a ON p.patient_id = a.patient_id
LEFT JOIN staging.facilities AS f ON a.facility_id = f.facility_id
WHERE p.patient_id = $subject_id
GROUP BY p.status, p.reminder_channel
