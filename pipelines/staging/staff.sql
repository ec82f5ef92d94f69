SELECT
    s.staff_id,
    s.name,
    s.email,
    s.role,
    s.is_assistant,
    s.facility_id,
    s.is_active,
FROM extract.staff AS s
