-- How many arrivals and departures of a period are of a task that arrived or left in it before.
WITH several AS (
    SELECT
        s.task_id,
        COUNT(*) FILTER (WHERE s.in_on BETWEEN $first_on AND $last_on) AS came,
        COUNT(*) FILTER (WHERE s.out_on BETWEEN $first_on AND $last_on) AS went,
    FROM current_stays AS s
    WHERE
        s.task_id IN (
            SELECT a.task_id,
            FROM current_stays AS a
            WHERE a.stay > 1
        )
    GROUP BY s.task_id
)

SELECT
    COALESCE(SUM(GREATEST(s.came - 1, 0)), 0) AS came_again,
    COALESCE(SUM(GREATEST(s.went - 1, 0)), 0) AS went_again,
FROM several AS s
INNER JOIN matching AS t ON s.task_id = t.task_id
