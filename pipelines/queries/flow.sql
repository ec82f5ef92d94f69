-- What came in and what went out, and how, by group and by the first day of each step of a period. The period before it, from $before_on,
-- is one step; what came in earlier and was still there then is in one more, on the day before that. `matching` says which tasks;
-- `current_stays` when they were on the list. Weeks begin on Sunday.
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
        CASE
            WHEN s.ended_as IN ('cleared', 'converted') THEN 'cleared'
            WHEN s.ended_as IN ('completed', 'override') THEN 'completed'
            ELSE 'otherwise'
        END AS moved,
    FROM current_stays AS s
    -- What was gone before changes nothing: nearly all of a long history.
    WHERE s.in_on <= $last_on AND COALESCE(s.out_on >= $before_on, TRUE)
),

grouped AS (
    SELECT
        CASE $split_by
            WHEN 'category' THEN t.category
            WHEN 'type' THEN t.rule_id
            WHEN 'facility' THEN t.facility_id
            WHEN 'payer' THEN t.payer_key
            WHEN 'staff' THEN t.staff_key
            ELSE 'all'
        END AS split,
        p.in_step,
        p.out_step,
        p.moved,
        COUNT(*) AS tasks,
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
    FROM grouped AS g
    UNION ALL
    SELECT
        g.split,
        g.out_step AS step_on,
        g.moved,
        g.tasks,
    FROM grouped AS g
    WHERE g.out_step IS NOT NULL
)

SELECT
    m.split,
    m.step_on,
    SUM(CASE WHEN m.moved = 'in' THEN m.tasks ELSE 0 END) AS came_in,
    SUM(CASE WHEN m.moved <> 'in' THEN m.tasks ELSE 0 END) AS went_out,
    SUM(CASE WHEN m.moved = 'cleared' THEN m.tasks ELSE 0 END) AS cleared,
    SUM(CASE WHEN m.moved = 'completed' THEN m.tasks ELSE 0 END) AS completed,
    SUM(CASE WHEN m.moved = 'otherwise' THEN m.tasks ELSE 0 END) AS ended_otherwise,
FROM moves AS m
GROUP BY m.split, m.step_on
