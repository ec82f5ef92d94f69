SELECT
    s.staff_id,
    COALESCE(s.name, s.staff_id) AS name,
    s.email,
    s.role,
    COALESCE(s.is_assistant, FALSE) AS is_assistant,
    s.facility_id,
    s.is_active,
FROM extract.staff AS s
