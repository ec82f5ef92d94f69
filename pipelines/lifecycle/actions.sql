-- The actions of the data frame `acted`, with typed columns also when there are none.
SELECT
    CAST(a.seq AS BIGINT) AS seq,
    CAST(a.task_id AS VARCHAR) AS task_id,
    CAST(a.action AS VARCHAR) AS action,
    CAST(a.staff_id AS VARCHAR) AS staff_id,
    CAST(a.at AS TIMESTAMP WITH TIME ZONE) AS acted_at,
    CAST(a.until AS TIMESTAMP WITH TIME ZONE) AS deferred_until,
    CAST(a.to_staff_id AS VARCHAR) AS to_staff_id,
    CAST(a.reason AS VARCHAR) AS reason,
    CAST(a.is_override AS BOOLEAN) AS is_override,
FROM acted AS a
