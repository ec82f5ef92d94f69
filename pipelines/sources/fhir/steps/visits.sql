/* Appointments, and encounters that name none of them, with their case: the episode they name, else
   the one of the patient that covers the day, else the newest begun before, else the patient's. */
WITH told AS (
    SELECT
        r.id AS resource_id,
        -- Ids are of one type only; an encounter may have that of an appointment.
        CASE
            WHEN r.kind = 'encounter' AND COUNT(*) OVER (PARTITION BY r.id) > 1
                THEN 'Encounter/' || r.id
            ELSE r.id
        END AS visit_id,
        r.kind,
        r.json,
        COALESCE(
            JSON_EXTRACT_STRING(r.json, '$.start'), JSON_EXTRACT_STRING(r.json, '$.period.start')
        ) AS starts_at,
        JSON_EXTRACT_STRING(r.json, '$.status') AS status,
        JSON_EXTRACT_STRING(r.json, '$.created') AS created,
        CAST(JSON_EXTRACT(r.json, '$.participant[*].actor.reference') AS VARCHAR[]) AS actors,
        CAST(JSON_EXTRACT(r.json, '$.participant[*].individual.reference') AS VARCHAR[])
            AS individuals,
        REGEXP_EXTRACT(
            JSON_EXTRACT_STRING(r.json, '$.appointment[0].reference'), '([^/]+)$', 1
        ) AS of_appointment,
        REGEXP_EXTRACT(
            JSON_EXTRACT_STRING(r.json, '$.episodeOfCare[0].reference'), '([^/]+)$', 1
        ) AS of_episode,
    FROM source.fhir_resources AS r
    WHERE r.kind IN ('appointment', 'encounter')
),

placed AS (
    SELECT
        t.resource_id,
        t.visit_id,
        t.kind,
        t.starts_at,
        TRY_CAST(LEFT(t.starts_at, 10) AS DATE) AS visit_on,
        t.status,
        t.created,
        t.of_appointment,
        t.of_episode,
        COALESCE(
            NULLIF(
                REGEXP_EXTRACT(JSON_EXTRACT_STRING(t.json, '$.subject.reference'), '([^/]+)$', 1),
                ''
            ),
            NULLIF(
                REGEXP_EXTRACT(ARRAY_TO_STRING(t.actors, ' '), 'Patient/([^ "]+)', 1), ''
            )
        ) AS patient_id,
        NULLIF(
            REGEXP_EXTRACT(
                ARRAY_TO_STRING(LIST_CONCAT(t.actors, t.individuals), ' '),
                'Practitioner/([^ "]+)', 1
            ),
            ''
        ) AS staff_id,
        NULLIF(
            REGEXP_EXTRACT(
                JSON_EXTRACT_STRING(t.json, '$.serviceProvider.reference'), '([^/]+)$', 1
            ),
            ''
        ) AS provider_id,
        COALESCE(
            NULLIF(
                REGEXP_EXTRACT(
                    JSON_EXTRACT_STRING(t.json, '$.location[0].location.reference'), '([^/]+)$', 1
                ),
                ''
            ),
            NULLIF(REGEXP_EXTRACT(ARRAY_TO_STRING(t.actors, ' '), 'Location/([^ "]+)', 1), '')
        ) AS location_id,
    FROM told AS t
),

locations AS (
    SELECT
        r.id AS location_id,
        REGEXP_EXTRACT(
            JSON_EXTRACT_STRING(r.json, '$.managingOrganization.reference'), '([^/]+)$', 1
        ) AS facility_id,
    FROM source.fhir_resources AS r
    WHERE r.kind = 'location'
),

ranked AS (
    SELECT
        p.kind,
        p.visit_id,
        c.case_id,
        ROW_NUMBER() OVER (
            PARTITION BY p.kind, p.visit_id
            ORDER BY
                c.case_id IS NOT DISTINCT FROM p.of_episode DESC,
                p.visit_on BETWEEN c.opened_on AND COALESCE(c.closed_on, DATE '9999-12-31') DESC,
                c.opened_on DESC,
                LPAD(c.case_id, 64, '0') DESC,
                c.case_id DESC
        ) AS place,
    FROM placed AS p
    INNER JOIN step.cases AS c
        ON
            p.patient_id = c.patient_id
            AND (p.visit_on >= c.opened_on OR p.of_episode = c.case_id)
)

SELECT
    p.visit_id,
    p.kind,
    p.patient_id,
    COALESCE(k.case_id, o.case_id, p.patient_id) AS case_id,
    k.case_id IS NULL AS is_outside,
    p.starts_at,
    p.visit_on,
    p.status,
    p.created,
    p.staff_id,
    COALESCE(p.provider_id, l.facility_id) AS facility_id,
    e.status AS encounter_status,
    CASE WHEN p.kind = 'encounter' THEN p.resource_id ELSE e.resource_id END AS encounter_id,
FROM placed AS p
LEFT JOIN ranked AS k ON p.kind = k.kind AND p.visit_id = k.visit_id AND k.place = 1
LEFT JOIN locations AS l ON p.location_id = l.location_id
LEFT JOIN step.own_cases AS o ON p.patient_id = o.patient_id
LEFT JOIN placed AS e ON p.kind = 'appointment' AND p.resource_id = e.of_appointment
LEFT JOIN placed AS a
    ON p.kind = 'encounter' AND a.kind = 'appointment' AND p.of_appointment = a.resource_id
WHERE a.visit_id IS NULL AND COALESCE(p.status, '') <> 'entered-in-error'
QUALIFY ROW_NUMBER() OVER (PARTITION BY p.kind, p.visit_id ORDER BY e.starts_at DESC) = 1
