/* Occurrences of appointments, and encounters on days without one. An encounter on the day of an
   appointment that nobody checked in completes it. What is due is the copay of the primary policy,
   else the charges of a patient without insurance. */
WITH primaries AS (
    SELECT
        o.appointment_id,
        MAX(c.copay) AS copay,
        COUNT(c.policy_id) AS policies,
    FROM step.occurrences AS o
    INNER JOIN step.events AS e ON o.event_id = e.event_id
    INNER JOIN step.coverage AS c
        ON
            e.patient_id = c.patient_id
            AND c.rank = 'primary'
            AND o.visit_on >= COALESCE(c.starts_on, DATE '1900-01-01')
            AND o.visit_on <= COALESCE(c.ends_on, DATE '9999-12-31')
    GROUP BY o.appointment_id
),

booked AS (
    SELECT DISTINCT
        e.patient_id,
        o.visit_on,
    FROM step.occurrences AS o
    INNER JOIN step.events AS e ON o.event_id = e.event_id
),

met AS (
    SELECT
        e.patient_id,
        e.visit_on,
        SUM(e.fees) AS fees,
    FROM step.encounters AS e
    GROUP BY e.patient_id, e.visit_on
)

SELECT
    o.appointment_id,
    e.patient_id AS case_id,
    e.patient_id,
    COALESCE(e.facility_id, p.facility_id) AS facility_id,
    e.staff_id,
    o.day_text || 'T' || e.starts_at AS starts_at,
    CASE
        WHEN e.word IN ('x', '%', '&') THEN 'Cancelled'
        WHEN e.word IN ('?', '!') THEN 'No Show'
        WHEN e.word IN ('>', '$') AND o.visit_on <= CAST($as_of AS DATE) THEN 'Completed'
        WHEN m.patient_id IS NOT NULL AND o.visit_on <= CAST($as_of AS DATE) THEN 'Completed'
        WHEN e.word IN ('@', '~') AND o.visit_on <= CAST($as_of AS DATE) THEN 'Arrived'
        WHEN e.word = '<' AND o.visit_on <= CAST($as_of AS DATE) THEN 'In Progress'
        WHEN e.word IN ('SMS', 'EMAIL', 'AVM') THEN 'Confirmed'
        WHEN
            COALESCE(e.word, '-') IN (
                '-', '*', '+', '^', '#', 'CALL', '>', '$', '@', '~', '<'
            )
            THEN 'Scheduled'
        ELSE e.word -- the contract refuses other words
    END AS status,
    COALESCE(r.copay, CASE WHEN r.policies IS NULL THEN m.fees END) AS amount_due,
    NULL AS reminder_status,
    COALESCE(e.created, o.day_text) AS created_at,
FROM step.occurrences AS o
INNER JOIN step.events AS e ON o.event_id = e.event_id
LEFT JOIN canonical.patients AS p ON e.patient_id = p.patient_id
LEFT JOIN met AS m ON e.patient_id = m.patient_id AND o.visit_on = m.visit_on
LEFT JOIN primaries AS r ON o.appointment_id = r.appointment_id
UNION ALL
SELECT
    'encounter-' || n.encounter_id AS appointment_id,
    n.patient_id AS case_id,
    n.patient_id,
    COALESCE(n.facility_id, p.facility_id) AS facility_id,
    n.staff_id,
    n.starts_at,
    'Completed' AS status,
    NULL AS amount_due,
    NULL AS reminder_status,
    n.starts_at AS created_at,
FROM step.encounters AS n
LEFT JOIN canonical.patients AS p ON n.patient_id = p.patient_id
LEFT JOIN booked AS b ON n.patient_id = b.patient_id AND n.visit_on = b.visit_on
WHERE b.patient_id IS NULL
