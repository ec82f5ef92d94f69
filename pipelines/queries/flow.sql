-- What came in and what went out, and how, by group and by the first day of each step of a period. The period before it, from $before_on,
-- is one step, and all that was earlier another, on the day before that. `matching` says which tasks; `current_stays` when they were on
-- the list. Weeks begin on Sunday.
WITH spans AS (
    SELECT
        CASE $split_by
            WHEN 'category' THEN t.category
            WHEN 'type' THEN t.rule_id
            WHEN 'facility' THEN t.facility_id
            WHEN 'payer' THEN t.payer_key
            WHEN 'staff' THEN t.staff_key
            ELSE 'all'
        END AS split,
        s.in_on,
        s.out_on,
        s.ended_as,
        COUNT(*) AS tasks,
    FROM matching AS t
    INNER JOIN current_stays AS s ON t.task_id = s.task_id
    GROUP BY ALL
),

moves AS (
    SELECT
        p.split,
        p.in_on AS moved_on,
        'in' AS moved,
        p.tasks,
    FROM spans AS p
    UNION ALL
    SELECT
        p.split,
        p.out_on AS moved_on,
        CASE
            WHEN p.ended_as IN ('cleared', 'converted') THEN 'cleared'
            WHEN p.ended_as IN ('completed', 'override') THEN 'completed'
            ELSE 'otherwise'
        END AS moved,
        p.tasks,
    FROM spans AS p
    WHERE p.out_on IS NOT NULL
),

steps AS (
    SELECT
        m.split,
        m.moved,
        m.tasks,
        CASE
            WHEN m.moved_on < $before_on THEN $before_on - 1
            WHEN m.moved_on < $first_on THEN $before_on
            WHEN $step = 'day' THEN m.moved_on
            ELSE GREATEST($first_on, CAST(DATE_TRUNC('week', m.moved_on + 1) AS DATE) - 1)
        END AS step_on,
    FROM moves AS m
    WHERE m.moved_on <= $last_on
)

SELECT
    s.split,
    s.step_on,
    SUM(CASE WHEN s.moved = 'in' THEN s.tasks ELSE 0 END) AS came_in,
    SUM(CASE WHEN s.moved <> 'in' THEN s.tasks ELSE 0 END) AS went_out,
    SUM(CASE WHEN s.moved = 'cleared' THEN s.tasks ELSE 0 END) AS cleared,
    SUM(CASE WHEN s.moved = 'completed' THEN s.tasks ELSE 0 END) AS completed,
    SUM(CASE WHEN s.moved = 'otherwise' THEN s.tasks ELSE 0 END) AS ended_otherwise,
FROM steps AS s
GROUP BY s.split, s.step_on
