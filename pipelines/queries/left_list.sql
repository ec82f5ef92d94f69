-- How long the tasks that match had been on the list when they left it, in the days of a period.
SELECT
    COUNT(*) AS went_out,
    CAST(COALESCE(SUM(s.out_on - s.in_on), 0) AS BIGINT) AS days,
FROM matching AS t
INNER JOIN current_stays AS s ON t.task_id = s.task_id
WHERE s.out_on BETWEEN $first_on AND $last_on
