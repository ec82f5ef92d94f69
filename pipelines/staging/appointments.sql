WITH timed AS (
    SELECT
        a.appointment_id,
        a.case_id,
        a.patient_id,
        a.facility_id,
        a.staff_id,
        a.status,
        a.amount_due,
        a.reminder_status,
        f.today,
        CASE
            WHEN a.starts_at_is_utc THEN a.starts_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE a.starts_at
        END AS starts_at,
        CASE
            WHEN a.created_at_is_utc THEN a.created_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE a.created_at
        END AS created_at,
    FROM extract.appointments AS a
    LEFT JOIN staging.facilities AS f ON a.facility_id = f.facility_id
)

SELECT
    t.appointment_id,
    t.case_id,
    t.patient_id,
    t.facility_id,
    t.staff_id,
    t.starts_at,
    CAST(t.starts_at AS DATE) AS visit_on,
    t.status,
    t.amount_due,
    t.reminder_status,
    t.created_at,
    CAST(t.created_at AS DATE) AS created_on,
    t.status IN ('Scheduled', 'Confirmed', 'Arrived', 'In Progress') AS is_live,
    -- Payment is due on arrival, and stays due where the desk forgot to close the visit.
    t.status = 'Completed'
    OR (
        t.status IN ('Arrived', 'In Progress')
        AND COALESCE(CAST(t.starts_at AS DATE) <= t.today, FALSE)
    ) AS has_happened,
FROM timed AS t
