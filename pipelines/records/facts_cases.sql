-- The facts behind a task about a case.
SELECT
    c.opened_on AS case_opened,
    c.discharged_on AS discharged,
    s.name AS therapist,
    c.referring_provider,
    c.case_id,
FROM staging.cases AS c
LEFT JOIN staging.staff AS s ON c.therapist_id = s.staff_id
WHERE c.case_id = $subject_id
