/* A billed encounter is a claim. It is processed once the encounter is closed for as many payers as
   the patient has policies; the patient owes what these did not pay or write off. */
WITH levels AS (
    SELECT
        e.encounter_id,
        e.patient_id,
        COUNT(DISTINCT c.rank) AS policies,
        MIN(CASE WHEN c.rank = 'primary' THEN c.policy_id END) AS policy_id,
    FROM step.encounters AS e
    INNER JOIN step.coverage AS c
        ON
            e.patient_id = c.patient_id
            AND e.visit_on >= COALESCE(c.starts_on, DATE '1900-01-01')
            AND e.visit_on <= COALESCE(c.ends_on, DATE '9999-12-31')
    GROUP BY e.encounter_id, e.patient_id
),

judged AS (
    SELECT
        e.encounter_id,
        e.patient_id,
        e.visit_on,
        e.fees,
        e.settled,
        e.posted_at,
        l.policy_id,
        COALESCE(e.closed_level >= l.policies, FALSE) AND e.posted_at IS NOT NULL AS is_processed,
    FROM step.encounters AS e
    LEFT JOIN levels AS l ON e.patient_id = l.patient_id AND e.encounter_id = l.encounter_id
    WHERE e.is_billed = 1
)

SELECT
    j.patient_id || '-' || j.encounter_id AS claim_id,
    j.patient_id AS case_id,
    j.policy_id,
    NULL AS appointment_id,
    CAST(j.visit_on AS VARCHAR) AS date_of_service,
    CASE WHEN j.is_processed THEN 'processed' ELSE 'billed' END AS status,
    CASE WHEN j.is_processed THEN CAST(j.fees - j.settled AS VARCHAR) END
        AS patient_responsibility,
    CASE WHEN j.is_processed THEN j.posted_at END AS processed_at,
FROM judged AS j
