-- Encounters that begin after $as_of had not been booked: Synthea records what happened.
SELECT
    e.encounter_id AS appointment_id,
    e.case_id,
    e.patient_id,
    e.facility_id,
    e.provider_id AS staff_id,
    e.starts_at,
    CASE
        WHEN e.unreadable_stop IS NOT NULL THEN NULL -- the contract refuses it
        WHEN e.stopped_at > $as_of THEN 'In Progress'
        ELSE 'Completed'
    END AS status,
    CAST(e.left_to_patient AS VARCHAR) AS amount_due,
    NULL AS reminder_status,
    e.starts_at AS created_at,
FROM step.encounters AS e
WHERE COALESCE(e.started_at <= $as_of, TRUE)
