-- How many keys that the run before had are gone, by facility. A row that was refused is not gone.
WITH refused AS (
    SELECT DISTINCT i.id_value,
    FROM extract.refused_ids AS i
    WHERE i.table_name = $table AND i.id_table = $table
)

SELECT
    e.facility_id,
    COUNT(*) AS total,
    COUNT(*) FILTER (WHERE n.key_value IS NULL AND r.id_value IS NULL) AS gone,
FROM earlier_rows AS e
LEFT JOIN rows_now AS n ON e.key_value = n.key_value
LEFT JOIN refused AS r ON e.key_value = r.id_value
GROUP BY e.facility_id
