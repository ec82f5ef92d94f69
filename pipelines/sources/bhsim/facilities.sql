-- The source tells no time zone: its times are taken as they are written.
SELECT
    l.location_id AS facility_id,
    l.location_name AS name,
    'UTC' AS time_zone,
FROM source.locations AS l
