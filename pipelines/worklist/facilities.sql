-- The facilities, by name.
SELECT
    f.facility_id,
    f.name,
    f.time_zone,
    f.today,
FROM staging.facilities AS f
ORDER BY f.name, LPAD(f.facility_id, 64, '0'), f.facility_id
