SELECT
    s.staff_id,
    s.name,
    s.email,
    s.role,
    s.is_assistant,
    s.facility_id,
    s.is_active,
FROM staff_members AS s
ORDER BY s.staff_id
