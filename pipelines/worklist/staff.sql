-- The staff, by name.
SELECT
    s.staff_id,
    s.name,
    s.email,
    s.role,
    s.facility_id,
    s.is_active,
FROM staging.staff AS s
ORDER BY s.name, LPAD(s.staff_id, 64, '0'), s.staff_id
