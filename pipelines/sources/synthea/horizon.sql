-- Nothing is known of visits ahead.
SELECT
    'appointments' AS table_name,
    CAST($as_of AS DATE) AS horizon_on,
