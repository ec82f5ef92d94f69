SELECT
    'appointments' AS table_name,
    c.horizon_on,
FROM step.calendar AS c
