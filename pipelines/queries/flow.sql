-- Day by day and group by group: what came in, what went out, and how. `matching` says which tasks; `current_stays` when they were on the list.
WITH grouped AS (
    SELECT
        t.task_id,
        CASE $split_by
            WHEN 'category' THEN t.category
            WHEN 'type' THEN t.rule_id
            WHEN 'facility' THEN t.facility_id
            WHEN 'payer' THEN t.payer_key
            WHEN 'staff' THEN t.staff_key
            ELSE 'all'
        END AS split,
    FROM matching AS t
),

moves AS (
    SELECT
        g.split,
        s.in_on AS moved_on,
        1 AS came_in,
        0 AS went_out,
        0 AS cleared,
        0 AS completed,
        0 AS ended_otherwise,
    FROM grouped AS g
    INNER JOIN current_stays AS s ON g.task_id = s.task_id
    UNION ALL
    SELECT
        g.split,
        s.out_on AS moved_on,
        0 AS came_in,
        1 AS went_out,
        CASE WHEN s.ended_as IN ('cleared', 'converted') THEN 1 ELSE 0 END AS cleared,
        CASE WHEN s.ended_as IN ('completed', 'override') THEN 1 ELSE 0 END AS completed,
        CASE WHEN s.ended_as IN ('discharged', 'source_gone') THEN 1 ELSE 0 END AS ended_otherwise,
    FROM grouped AS g
    INNER JOIN current_stays AS s ON g.task_id = s.task_id
    WHERE s.out_on IS NOT NULL
)

SELECT
    m.moved_on,
    m.split,
    SUM(m.came_in) AS came_in,
    SUM(m.went_out) AS went_out,
    SUM(m.cleared) AS cleared,
    SUM(m.completed) AS completed,
    SUM(m.ended_otherwise) AS ended_otherwise,
FROM moves AS m
GROUP BY m.moved_on, m.split
