-- The facilities, by name.
SELECT
    f.facility_id,
    f.name,
    f.time_zone,
    f.today,
FROM staging.facilities AS f
ORDER BY f.name, f.facility_id
