SELECT
    c.facility_id,
    c.name,
    c.time_zone,
FROM clinics AS c
ORDER BY c.facility_id
