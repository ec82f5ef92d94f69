SELECT
    p.patient_id,
    p.first_name,
    p.last_name,
    p.birth_date AS born_on,
    p.status,
    p.facility_id,
    p.phone,
    p.email,
    p.reminder_channel,
FROM extract.patients AS p
