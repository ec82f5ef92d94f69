SELECT
    p.patient_id,
    p.first_name,
    p.last_name,
    p.born_on AS birth_date,
    CASE
        WHEN p.inactivated_at <= c.now_at THEN 'Inactive'
        WHEN p.activated_at <= c.now_at THEN 'Active'
        ELSE 'Referral'
    END AS status,
    p.facility_id,
    '555-01' || LPAD(CAST(p.phone AS VARCHAR), 4, '0') AS phone,
    'patient' || CAST(p.patient_id AS VARCHAR) || '@example.com' AS email,
    p.reminder_channel,
FROM facts_patients AS p
INNER JOIN facility_list AS c ON p.facility_id = c.facility_id
WHERE p.registered_at <= c.now_at
ORDER BY p.patient_id
