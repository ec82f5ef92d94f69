SELECT
    i.submission_id,
    i.patient_id,
    i.case_id,
    i.form,
    i.submitted_at,
    CASE WHEN i.reviewed_at <= c.now_at THEN i.reviewed_at END AS reviewed_at,
FROM facts_intake_submissions AS i
INNER JOIN facility_list AS c ON i.facility_id = c.facility_id
WHERE i.submitted_at <= c.now_at
ORDER BY i.submission_id
