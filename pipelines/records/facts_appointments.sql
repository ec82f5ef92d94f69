-- The facts behind a task about a visit.
SELECT
    a.starts_at AS visit,
    a.status AS visit_status,
    s.name AS treated_by,
    a.amount_due,
    a.appointment_id AS visit_id,
FROM staging.appointments AS a
LEFT JOIN staging.staff AS s ON a.staff_id = s.staff_id
WHERE a.appointment_id = $subject_id
