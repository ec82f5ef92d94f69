-- The tasks on the list in the evening of a day, and how each stood: deferred, overdue (past its
-- due day and not deferred) or pending. Owner and reason are those of now; only time travel has
-- others.
WITH there AS (
    SELECT
        t.task_id,
        t.due_on,
        CAST(CAST($stood_on AS DATE) + 1 AS TIMESTAMP)
        AT TIME ZONE COALESCE(f.time_zone, 'UTC') AS night,
    FROM current_stays AS s
    INNER JOIN asked AS t ON s.task_id = t.task_id
    LEFT JOIN staging.facilities AS f ON t.facility_id = f.facility_id
    WHERE s.in_on <= $stood_on AND COALESCE(s.out_on > $stood_on, TRUE)
),

-- The last event until then that says whether a task is deferred, and until when.
words AS (
    SELECT
        t.task_id,
        e.deferred_until > t.night AS is_deferred,
        ROW_NUMBER() OVER (
            PARTITION BY e.task_id ORDER BY e.happened_at DESC, e.event_no DESC
        ) AS recency,
    FROM there AS t
    INNER JOIN current_events AS e ON t.task_id = e.task_id
    WHERE LIST_CONTAINS($words_on_deferral, e.event) AND e.happened_at < t.night
)

SELECT
    t.task_id,
    CASE
        WHEN w.is_deferred THEN 'deferred'
        WHEN t.due_on < $stood_on THEN 'overdue'
        ELSE 'pending'
    END AS stood_as,
FROM there AS t
LEFT JOIN words AS w ON t.task_id = w.task_id AND w.recency = 1
