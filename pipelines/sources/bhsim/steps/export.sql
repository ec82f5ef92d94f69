/* The day the export was made for, and the last day it has visits for.
   No row for an export without its settings. */
SELECT
    CAST(JSON_EXTRACT_STRING(m.value, '$.reference_date') AS DATE) AS reference_on,
    CAST(JSON_EXTRACT_STRING(m.value, '$.reference_date') AS DATE)
    + CAST(JSON_EXTRACT_STRING(m.value, '$.future_days') AS INTEGER) AS horizon_on,
FROM source.simulation_metadata AS m
WHERE m.key = 'config'
