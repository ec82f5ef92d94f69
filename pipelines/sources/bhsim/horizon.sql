SELECT
    'appointments' AS table_name,
    x.horizon_on,
FROM step.export AS x
