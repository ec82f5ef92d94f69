-- Of the tasks that match, in the days of a period: in how many evenings each was on the list, taken together, and how many left it after
-- how many days.
WITH stayed AS (
    SELECT
        s.in_on,
        s.out_on,
        s.out_on BETWEEN $first_on AND $last_on AS has_left,
        GREATEST(s.in_on, CAST($first_on AS DATE)) AS from_on,
        LEAST(COALESCE(s.out_on, CAST($last_on AS DATE) + 1), CAST($last_on AS DATE) + 1) AS until_on,
    FROM matching AS t
    INNER JOIN current_stays AS s ON t.task_id = s.task_id
    WHERE s.in_on <= $last_on AND COALESCE(s.out_on >= $first_on, TRUE)
)

SELECT
    COALESCE(SUM(s.until_on - s.from_on), 0) AS evenings,
    COUNT(*) FILTER (WHERE s.has_left) AS went_out,
    COALESCE(SUM(s.out_on - s.in_on) FILTER (WHERE s.has_left), 0) AS days,
FROM stayed AS s
