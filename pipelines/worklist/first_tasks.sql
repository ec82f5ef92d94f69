-- The first tasks of each type, the oldest first: what a dashboard shows of a group.
-- A window function would sort all tasks and take three times as long.
WITH firsts AS (
    SELECT UNNEST(MIN_BY(t.task_id, (t.since, t.task_id), CAST($most AS BIGINT))) AS task_id,
    FROM matching AS t
    GROUP BY t.rule_id
)

SELECT t.*, -- noqa: AM04
FROM matching AS t
INNER JOIN firsts AS f ON t.task_id = f.task_id
