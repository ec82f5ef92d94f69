-- What came in and what went out, and how, by group and by the first day of each step of a period. The period before it, from $before_on,
-- is one step; what came in earlier and was still there then is in one more, on the day before that. `matching` says which tasks;
-- `current_stays` when they were on the list. Weeks begin on Sunday. For Little's law: `evenings` of the period on the list, taken together,
-- of what came in with the step, and the `days` that what went out with it had stayed.
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
        CASE WHEN s.ended_as IN ('cleared', 'converted') THEN 'by_system' ELSE s.ended_as END AS moved,
        GREATEST(LEAST(COALESCE(s.out_on, $last_on + 1), $last_on + 1) - GREATEST(s.in_on, $first_on), 0) AS evenings,
        s.out_on - s.in_on AS days,
    FROM current_stays AS s
    -- What was gone before changes nothing: nearly all of a long history.
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
        'in' AS moved,
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
    SUM(CASE WHEN m.moved = 'in' THEN m.tasks ELSE 0 END) AS came_in,
    SUM(CASE WHEN m.moved <> 'in' THEN m.tasks ELSE 0 END) AS went_out,
    SUM(CASE WHEN m.moved = 'by_system' THEN m.tasks ELSE 0 END) AS by_system,
    SUM(CASE WHEN m.moved = 'completed' THEN m.tasks ELSE 0 END) AS completed,
    SUM(CASE WHEN m.moved = 'override' THEN m.tasks ELSE 0 END) AS override,
    SUM(CASE WHEN m.moved = 'discharged' THEN m.tasks ELSE 0 END) AS discharged,
    SUM(CASE WHEN m.moved = 'source_gone' THEN m.tasks ELSE 0 END) AS source_gone,
    SUM(m.evenings) AS evenings,
    SUM(m.days) AS days,
FROM moves AS m
GROUP BY m.split, m.step_on
