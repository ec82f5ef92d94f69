-- Deferrals of the matching tasks, by a property of the task or by the person who deferred it. A
-- deferral lasts until its time, the next event that ends it, or now, as in listed.sql.
WITH deferred_tasks AS (
    SELECT e.task_id,
    FROM current_events AS e
    WHERE e.event = 'deferred'
),

stretches AS (
    SELECT
        e.task_id,
        e.event,
        e.staff_id,
        e.happened_at,
        e.deferred_until,
        LEAD(e.happened_at) OVER (
            PARTITION BY e.task_id
            ORDER BY e.happened_at, e.event_no
        ) AS ended_at,
    FROM current_events AS e
    WHERE
        e.task_id IN (
            SELECT d.task_id,
            FROM deferred_tasks AS d
        )
        AND LIST_CONTAINS($events_of_deferral, e.event)
),

put_off AS (
    SELECT
        s.task_id,
        CASE WHEN $split_by = 'person' THEN s.staff_id END AS person,
        COUNT(*) AS deferrals,
        SUM(
            (
                EPOCH_US(LEAST(s.deferred_until, COALESCE(s.ended_at, m.seen_at), m.seen_at))
                - EPOCH_US(s.happened_at)
            ) // 1000000
        ) AS seconds,
    FROM stretches AS s
    CROSS JOIN moment AS m
    WHERE s.event = 'deferred'
    GROUP BY s.task_id, person
)

SELECT
    COALESCE(p.person, t.split) AS split,
    COUNT(*) AS tasks,
    COUNT(p.task_id) AS deferred,
    COUNT(*) FILTER (WHERE p.deferrals > 1) AS deferred_again,
    CAST(COALESCE(SUM(p.deferrals), 0) AS BIGINT) AS deferrals,
    CAST(COALESCE(SUM(p.seconds), 0) AS BIGINT) AS seconds,
FROM matching AS t
LEFT JOIN put_off AS p ON t.task_id = p.task_id
WHERE $split_by <> 'person' OR p.person IS NOT NULL
GROUP BY COALESCE(p.person, t.split)
