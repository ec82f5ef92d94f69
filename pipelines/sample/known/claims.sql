SELECT
    m.claim_id,
    m.case_id,
    m.policy_id,
    m.appointment_id,
    m.date_of_service,
    CASE
        WHEN m.processed_at <= c.now_at THEN 'Processed'
        WHEN m.submitted_at <= c.now_at THEN 'Submitted'
        WHEN
            m.held_at <= c.now_at AND (m.released_at IS NULL OR m.released_at > c.now_at)
            THEN 'Held'
        ELSE 'Draft'
    END AS status,
    CASE
        WHEN m.processed_at <= c.now_at THEN m.patient_responsibility
    END AS patient_responsibility,
    CASE WHEN m.processed_at <= c.now_at THEN m.processed_at END AS processed_at,
FROM facts_claims AS m
INNER JOIN facility_list AS c ON m.facility_id = c.facility_id
WHERE m.created_at <= c.now_at
ORDER BY m.claim_id
