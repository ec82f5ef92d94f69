-- How many of the keys that are gone came back with other zeros, another prefix or other capitals:
-- the number at their end is the one of a key that was not there before.
WITH gone AS (
    SELECT
        e.key_value,
        COALESCE(
            NULLIF(REGEXP_EXTRACT(e.key_value, '[1-9][0-9]*$'), ''), LOWER(e.key_value)
        ) AS core,
    FROM earlier_rows AS e
    LEFT JOIN rows_now AS n ON e.key_value = n.key_value
    WHERE n.key_value IS NULL
),

arrived AS (
    SELECT DISTINCT
        COALESCE(
            NULLIF(REGEXP_EXTRACT(n.key_value, '[1-9][0-9]*$'), ''), LOWER(n.key_value)
        ) AS core,
    FROM rows_now AS n
    LEFT JOIN earlier_rows AS e ON n.key_value = e.key_value
    WHERE e.key_value IS NULL
)

SELECT COUNT(*) AS respelled,
FROM gone AS g
INNER JOIN arrived AS a ON g.core = a.core
