-- The case of what belongs to no episode has the patient's id, if no episode has it.
SELECT
    r.id AS patient_id,
    CASE WHEN c.case_id IS NULL THEN r.id ELSE 'Patient/' || r.id END AS case_id,
FROM source.fhir_resources AS r
LEFT JOIN step.cases AS c ON r.id = c.case_id
WHERE r.kind = 'patient'
