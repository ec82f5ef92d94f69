-- Everybody who is alive is Active.
WITH first_organizations AS (
    SELECT MIN(o.id) AS organization_id,
    FROM source.organizations AS o
)

SELECT
    p.id AS patient_id,
    COALESCE(p.first, '-') AS first_name,
    COALESCE(p.last, '-') AS last_name,
    p.birthdate AS birth_date,
    CASE
        WHEN p.deathdate IS NULL THEN 'Active'
        WHEN TRY_CAST(LEFT(p.deathdate, 10) AS DATE) > CAST($as_of AS DATE) THEN 'Active'
        ELSE 'Inactive'
    END AS status,
    COALESCE(l.facility_id, f.organization_id) AS facility_id,
    NULL AS phone,
    NULL AS email,
    NULL AS reminder_channel,
FROM source.patients AS p
LEFT JOIN step.latest AS l ON p.id = l.patient_id AND l.place_of_patient = 1
CROSS JOIN first_organizations AS f
