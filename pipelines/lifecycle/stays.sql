-- The stretches of local days on which each task was on the list, one row a stretch.
-- A task closed and reopened within a day stayed. So the tasks of one evening are exactly those of
-- the evening before, plus those that came in, minus those that went out.
WITH moves AS (
    SELECT
        e.task_id,
        e.event,
        e.event_no,
        e.happened_at,
        e.staff_id,
        m.is_in,
    FROM current_events AS e
    INNER JOIN move_kinds AS m ON e.event = m.event
),

ordered AS (
    SELECT
        m.task_id,
        m.event,
        m.event_no,
        m.happened_at,
        m.staff_id,
        m.is_in,
        COALESCE(
            LAG(m.is_in) OVER (PARTITION BY m.task_id ORDER BY m.happened_at, m.event_no), FALSE
        ) AS was_in,
    FROM moves AS m
),

-- A second closing, by a person and a run at once, changes nothing.
changes AS (
    SELECT
        o.task_id,
        o.event,
        o.event_no,
        o.happened_at,
        o.staff_id,
        o.is_in,
        t.state,
        CAST(o.happened_at AT TIME ZONE COALESCE(f.time_zone, 'UTC') AS DATE) AS moved_on,
    FROM ordered AS o
    INNER JOIN current_tasks AS t ON o.task_id = t.task_id
    LEFT JOIN staging.facilities AS f ON t.facility_id = f.facility_id
    WHERE o.is_in <> o.was_in
),

spans AS (
    SELECT
        c.task_id,
        c.state,
        c.is_in,
        c.event_no,
        c.happened_at,
        c.moved_on AS in_on,
        LEAD(c.moved_on) OVER task_order AS out_on,
        LEAD(c.event) OVER task_order AS ended_as,
        LEAD(c.staff_id) OVER task_order AS ended_by,
    FROM changes AS c
    WINDOW task_order AS (PARTITION BY c.task_id ORDER BY c.happened_at, c.event_no)
),

-- A reopened occurrence that has a successor stays closed.
open_spans AS (
    SELECT
        s.task_id,
        s.event_no,
        s.happened_at,
        s.in_on,
        s.out_on,
        s.ended_as,
        s.ended_by,
        CASE
            WHEN
                LAG(s.out_on) OVER (PARTITION BY s.task_id ORDER BY s.happened_at, s.event_no)
                = s.in_on
                THEN 0
            ELSE 1
        END AS is_new,
    FROM spans AS s
    WHERE s.is_in AND (s.out_on IS NOT NULL OR s.state = 'open')
),

numbered AS (
    SELECT
        s.task_id,
        s.in_on,
        s.out_on,
        s.ended_as,
        s.ended_by,
        CAST(
            SUM(s.is_new) OVER (PARTITION BY s.task_id ORDER BY s.happened_at, s.event_no)
            AS INTEGER
        ) AS stay,
        ROW_NUMBER()
            OVER (PARTITION BY s.task_id ORDER BY s.happened_at DESC, s.event_no DESC)
            AS from_last,
    FROM open_spans AS s
),

ends AS (
    SELECT
        n.task_id,
        n.stay,
        MIN(n.in_on) AS in_on,
        MIN(n.from_last) AS last_span,
    FROM numbered AS n
    GROUP BY n.task_id, n.stay
)

SELECT
    e.task_id,
    e.stay,
    e.in_on,
    n.out_on,
    n.ended_as,
    n.ended_by,
FROM ends AS e
INNER JOIN numbered AS n ON e.task_id = n.task_id AND e.last_span = n.from_last
