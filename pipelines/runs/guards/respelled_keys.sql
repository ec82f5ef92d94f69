-- How many of the keys that are gone came back with other leading zeros or capitals.
WITH gone AS (
    SELECT LOWER(LTRIM(e.key_value, '0')) AS core,
    FROM earlier_rows AS e
    LEFT JOIN rows_now AS n ON e.key_value = n.key_value
    WHERE n.key_value IS NULL
),

arrived AS (
    SELECT DISTINCT LOWER(LTRIM(n.key_value, '0')) AS core,
    FROM rows_now AS n
    LEFT JOIN earlier_rows AS e ON n.key_value = e.key_value
    WHERE e.key_value IS NULL
)

SELECT COUNT(*) AS respelled,
FROM gone AS g
INNER JOIN arrived AS a ON g.core = a.core
