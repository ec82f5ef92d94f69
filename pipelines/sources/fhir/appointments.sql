-- Where an encounter names its appointment, the encounter says what became of it.
WITH told AS (
    SELECT COUNT(fv.kind) AS visits,
    FROM source.fhir_visits AS fv
)

SELECT
    v.visit_id AS appointment_id,
    v.case_id,
    v.patient_id,
    COALESCE(v.facility_id, p.facility_id) AS facility_id,
    v.staff_id,
    v.starts_at,
    CASE COALESCE(v.encounter_status, v.status)
        WHEN 'proposed' THEN 'Scheduled'
        WHEN 'pending' THEN 'Scheduled'
        WHEN 'waitlist' THEN 'Cancelled'
        WHEN 'planned' THEN 'Scheduled'
        WHEN 'booked' THEN 'Scheduled'
        WHEN 'checked-in' THEN 'Arrived'
        WHEN 'arrived' THEN 'Arrived'
        WHEN 'triaged' THEN 'Arrived'
        WHEN 'in-progress' THEN 'In Progress'
        WHEN 'onleave' THEN 'In Progress'
        WHEN 'fulfilled' THEN 'Completed'
        WHEN 'finished' THEN 'Completed'
        WHEN 'cancelled' THEN 'Cancelled'
        WHEN 'noshow' THEN 'No Show'
        ELSE COALESCE(v.encounter_status, v.status) -- the contract refuses other words
    END AS status,
    NULL AS amount_due,
    NULL AS reminder_status,
    COALESCE(v.created, v.starts_at) AS created_at,
FROM step.visits AS v
CROSS JOIN told AS t
LEFT JOIN canonical.patients AS p ON v.patient_id = p.patient_id
WHERE t.visits > 0
