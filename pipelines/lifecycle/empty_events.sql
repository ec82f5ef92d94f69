-- The events before the first run: none, with the columns that every run keeps.
SELECT
    CAST(NULL AS BIGINT) AS event_no,
    CAST(NULL AS VARCHAR) AS task_id,
    CAST(NULL AS VARCHAR) AS event,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS happened_at,
    CAST(NULL AS VARCHAR) AS staff_id,
    CAST(NULL AS VARCHAR) AS reason,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS deferred_until,
    CAST(NULL AS VARCHAR) AS to_staff_id,
    CAST(NULL AS VARCHAR) AS linked_task_id,
    CAST(NULL AS BIGINT) AS seq,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    CAST(NULL AS VARCHAR) AS payer_id,
    CAST(NULL AS VARCHAR) AS record_table,
    CAST(NULL AS VARCHAR) AS record_id,
WHERE FALSE
