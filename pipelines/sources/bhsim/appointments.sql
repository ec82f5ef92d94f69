-- The source has no booking time; the first day of the case is the earliest possible one.
SELECT
    v.visit_id AS appointment_id,
    v.case_id,
    v.individual_id AS patient_id,
    v.location_id AS facility_id,
    v.employee_id AS staff_id,
    v.starts_at,
    v.status,
    NULL AS amount_due,
    NULL AS reminder_status,
    CAST(
        CASE
            WHEN TRY_CAST(c.opened_on AS DATE) < v.visit_on THEN TRY_CAST(c.opened_on AS DATE)
            ELSE v.visit_on
        END AS TIMESTAMP
    ) AS created_at,
FROM step.visits AS v
LEFT JOIN canonical.cases AS c ON v.case_id = c.case_id
