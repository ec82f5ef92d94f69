-- Ends of the matching tasks by close kind, and how many were reopened or returned as a new task
-- of the same subject. Only closed tasks, but for the reopened ones, which may be open.
WITH marked AS (
    SELECT
        h.task_id,
        BOOL_OR(h.happening = 'reopened') AS is_reopened,
        BOOL_OR(h.happening = 'returned') AS is_returned,
    FROM happened AS h
    WHERE h.happening IN ('reopened', 'returned')
    GROUP BY h.task_id
)

SELECT
    t.split,
    CASE WHEN t.is_open THEN 'open' ELSE t.close_kind END AS ended_as,
    COUNT(*) FILTER (WHERE NOT t.is_open) AS closed,
    COUNT(*) FILTER (WHERE m.is_reopened) AS reopened,
    COUNT(*) FILTER (WHERE m.is_reopened AND t.is_open) AS open_again,
    COUNT(*) FILTER (WHERE m.is_returned) AS returned,
FROM matching AS t
LEFT JOIN marked AS m ON t.task_id = m.task_id
GROUP BY t.split, ended_as
HAVING COUNT(*) FILTER (WHERE NOT t.is_open OR m.is_reopened) > 0
