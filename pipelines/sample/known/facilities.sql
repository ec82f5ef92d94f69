SELECT
    c.facility_id,
    c.name,
    c.time_zone,
FROM facility_list AS c
ORDER BY c.facility_id
