-- A person with an open enrollment is Active. The facility is the one with most visits, else the
-- first location.
WITH visit_counts AS (
    SELECT
        v.individual_id,
        v.location_id,
        ROW_NUMBER() OVER (
            PARTITION BY v.individual_id
            ORDER BY COUNT(*) DESC, LPAD(v.location_id, 64, '0') ASC, v.location_id ASC
        ) AS place,
    FROM source.visits AS v
    GROUP BY v.individual_id, v.location_id
),

open_enrollments AS (
    SELECT DISTINCT ip.individual_id,
    FROM source.individual_programs AS ip
    WHERE
        TRY_CAST(ip.start_date AS DATE) <= CAST($as_of AS DATE)
        AND COALESCE(TRY_CAST(ip.end_date AS DATE) > CAST($as_of AS DATE), TRUE)
),

first_locations AS (
    SELECT l.location_id,
    FROM source.locations AS l
    ORDER BY LPAD(l.location_id, 64, '0'), l.location_id
    LIMIT 1
),

people AS (
    SELECT
        i.individual_id,
        i.date_of_birth,
        TRIM(i.full_name) AS full_name,
        -- characters after the last blank, with it; 0 where the name is one word
        STRPOS(REVERSE(TRIM(i.full_name)), ' ') AS last_length,
    FROM source.individuals AS i
)

SELECT
    p.individual_id AS patient_id,
    CASE
        WHEN p.last_length = 0 THEN '-'
        ELSE TRIM(LEFT(p.full_name, LENGTH(p.full_name) - p.last_length))
    END AS first_name,
    CASE
        WHEN p.last_length = 0 THEN p.full_name
        ELSE RIGHT(p.full_name, p.last_length - 1)
    END AS last_name,
    p.date_of_birth AS birth_date,
    CASE WHEN o.individual_id IS NULL THEN 'Inactive' ELSE 'Active' END AS status,
    COALESCE(c.location_id, f.location_id) AS facility_id,
    NULL AS phone,
    NULL AS email,
    NULL AS reminder_channel,
FROM people AS p
LEFT JOIN open_enrollments AS o ON p.individual_id = o.individual_id
LEFT JOIN visit_counts AS c ON p.individual_id = c.individual_id AND c.place = 1
CROSS JOIN first_locations AS f
