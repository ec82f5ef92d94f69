-- Arrivals (came_in) and departures (a row a close kind) by split value and first day of each step.
-- The period before, from $before_on, is one step; tasks that arrived earlier and were still open
-- then are in one more step, on the day before it.
-- Weeks begin on Sunday. For Little's law: `evenings` on the list within the
-- period, of arrivals of a step, and the `days` on the list of its departures.
WITH spans AS (
    SELECT
        s.task_id,
        CASE
            WHEN s.in_on < $before_on THEN $before_on - 1
            WHEN s.in_on < $first_on THEN $before_on
            WHEN $step = 'day' THEN s.in_on
            ELSE GREATEST($first_on, CAST(DATE_TRUNC('week', s.in_on + 1) AS DATE) - 1)
        END AS in_step,
        CASE
            WHEN s.out_on > $last_on OR s.out_on IS NULL THEN NULL
            WHEN s.out_on < $first_on THEN $before_on
            WHEN $step = 'day' THEN s.out_on
            ELSE GREATEST($first_on, CAST(DATE_TRUNC('week', s.out_on + 1) AS DATE) - 1)
        END AS out_step,
        s.ended_as AS moved,
        GREATEST(
            LEAST(COALESCE(s.out_on, $last_on + 1), $last_on + 1) - GREATEST(s.in_on, $first_on), 0
        ) AS evenings,
        s.out_on - s.in_on AS days,
    FROM current_stays AS s
    -- Skips tasks that left before: nearly all of a long history.
    WHERE s.in_on <= $last_on AND COALESCE(s.out_on >= $before_on, TRUE)
),

grouped AS (
    SELECT
        t.split,
        p.in_step,
        p.out_step,
        p.moved,
        COUNT(*) AS tasks,
        SUM(p.evenings) AS evenings,
        SUM(p.days) AS days,
    FROM spans AS p
    INNER JOIN matching AS t ON p.task_id = t.task_id
    GROUP BY ALL
),

moves AS (
    SELECT
        g.split,
        g.in_step AS step_on,
        'came_in' AS moved,
        g.tasks,
        g.evenings,
        0 AS days,
    FROM grouped AS g
    UNION ALL
    SELECT
        g.split,
        g.out_step AS step_on,
        g.moved,
        g.tasks,
        0 AS evenings,
        g.days,
    FROM grouped AS g
    WHERE g.out_step IS NOT NULL
)

SELECT
    m.split,
    m.step_on,
    m.moved,
    SUM(m.tasks) AS tasks,
    SUM(m.evenings) AS evenings,
    SUM(m.days) AS days,
FROM moves AS m
GROUP BY m.split, m.step_on, m.moved
