/* Visits outside of episodes are one more case a patient, which ends with its last visit unless one
   lies ahead. */
WITH held AS (
    SELECT COUNT(ep.kind) AS episodes,
    FROM source.fhir_episodes AS ep
),

outside AS (
    SELECT
        v.case_id,
        v.patient_id,
        MIN(v.visit_on) AS first_on,
        MAX(v.visit_on) AS last_on,
        ARG_MAX(v.staff_id, v.visit_on) AS staff_id,
    FROM step.visits AS v
    WHERE v.is_outside
    GROUP BY v.case_id, v.patient_id
)

SELECT
    c.case_id,
    c.patient_id,
    COALESCE(c.facility_id, p.facility_id) AS facility_id,
    c.therapist_id,
    LEFT(c.opened, 10) AS opened_on,
    CASE
        WHEN c.closed_on IS NULL OR c.closed_on <= CAST($as_of AS DATE) THEN LEFT(c.closed, 10)
    END AS discharged_on,
    NULL AS visits_per_week_target,
    NULL AS referring_provider,
    NULL AS referring_fax,
    NULL AS order_signed_on,
FROM step.cases AS c
CROSS JOIN held AS h
LEFT JOIN canonical.patients AS p ON c.patient_id = p.patient_id
WHERE h.episodes > 0
UNION ALL
SELECT
    o.case_id,
    o.patient_id,
    p.facility_id,
    o.staff_id AS therapist_id,
    CAST(o.first_on AS VARCHAR) AS opened_on,
    CASE
        WHEN o.last_on <= CAST($as_of AS DATE) THEN CAST(o.last_on AS VARCHAR)
    END AS discharged_on,
    NULL AS visits_per_week_target,
    NULL AS referring_provider,
    NULL AS referring_fax,
    NULL AS order_signed_on,
FROM outside AS o
LEFT JOIN canonical.patients AS p ON o.patient_id = p.patient_id
