SELECT
    e.employee_id AS staff_id,
    e.full_name AS name,
    NULL AS email,
    'Clinical Staff' AS role,
    FALSE AS is_assistant,
    NULL AS facility_id,
    TRUE AS is_active,
FROM source.employees AS e
