SELECT
    a.appointment_id,
    a.case_id,
    a.patient_id,
    a.facility_id,
    a.staff_id,
    a.starts_at,
    CASE
        WHEN a.cancelled_at <= c.now_at THEN 'Cancelled'
        WHEN a.settled_at <= c.now_at THEN a.outcome
        WHEN a.starts_at <= c.now_at AND a.outcome = 'Completed' THEN 'In Progress'
        WHEN a.starts_at - INTERVAL 10 MINUTE <= c.now_at AND a.outcome = 'Completed' THEN 'Arrived'
        WHEN a.confirmed_at <= c.now_at THEN 'Confirmed'
        ELSE 'Scheduled'
    END AS status,
    CASE WHEN a.amount_due >= 0 THEN a.amount_due END AS amount_due,
    CASE
        WHEN a.confirmed_at <= c.now_at AND a.reminded_at <= c.now_at THEN 'Confirmed'
        WHEN a.reminded_at <= c.now_at THEN 'Sent'
    END AS reminder_status,
    a.created_at,
FROM facts_appointments AS a
INNER JOIN facility_list AS c ON a.facility_id = c.facility_id
WHERE a.created_at <= c.now_at
ORDER BY a.appointment_id
