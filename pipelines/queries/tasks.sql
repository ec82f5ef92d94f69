-- The worklist: tasks as they stand at a moment, with names, status and age in the facility's days.
WITH stretches AS (
    SELECT
        e.task_id,
        e.event,
        e.happened_at,
        e.deferred_until,
        LEAD(e.happened_at) OVER (PARTITION BY e.task_id ORDER BY e.event_no) AS ended_at,
    FROM current_events AS e
    WHERE
        e.happened_at <= $at
        -- Few tasks were ever deferred; the others need no ordering of their events.
        AND e.task_id IN (
            SELECT d.task_id, FROM current_events AS d
            WHERE d.event = 'deferred'
        )
        AND e.event IN ('deferred', 'returned', 'completed', 'override', 'cleared', 'converted', 'discharged', 'source_gone')
),

-- A deferral lasts until its time, the next step that ends it, or now.
hidden AS (
    SELECT
        s.task_id,
        SUM(DATE_DIFF('second', s.happened_at, LEAST(s.deferred_until, COALESCE(s.ended_at, $at), $at))) AS seconds,
    FROM stretches AS s
    WHERE s.event = 'deferred'
    GROUP BY s.task_id
),

listed AS (
    SELECT
        t.task_id,
        t.rule_id,
        t.subject_id,
        t.occurrence,
        t.case_id,
        t.patient_id,
        t.facility_id,
        t.payer_id,
        t.since,
        t.opened_at,
        t.state,
        t.deferred_until,
        t.closed_at,
        t.closed_by,
        t.close_kind,
        t.reason,
        t.amount,
        t.manual,
        t.last_seq,
        CASE
            WHEN t.state <> 'open' THEN t.state
            WHEN t.deferred_until > $at THEN 'deferred'
            ELSE 'pending'
        END AS status,
        CAST(COALESCE(t.closed_at, $at) AT TIME ZONE COALESCE(f.time_zone, 'UTC') AS DATE) - t.since AS age_days,
        COALESCE(t.assigned_to_id, t.rule_staff_id) AS staff_id,
    FROM current_tasks AS t
    LEFT JOIN staging.facilities AS f ON t.facility_id = f.facility_id
    WHERE t.opened_at <= $at
)

SELECT
    t.task_id,
    t.rule_id,
    r.title,
    r.category,
    t.subject_id,
    t.occurrence,
    t.patient_id,
    t.case_id,
    t.facility_id,
    t.payer_id,
    COALESCE(p.name, 'Self-pay') AS payer,
    t.staff_id,
    COALESCE(s.name, t.staff_id, 'Unassigned') AS staff,
    t.since,
    t.opened_at,
    t.status,
    CASE WHEN t.status = 'deferred' THEN t.deferred_until END AS deferred_until,
    t.closed_at,
    t.closed_by,
    t.close_kind,
    t.reason,
    t.amount,
    t.age_days,
    t.state = 'open' AND t.age_days > r.due_days AS overdue,
    t.last_seq,
    t.manual,
    t.age_days - CAST(FLOOR(COALESCE(h.seconds, 0) / 86400) AS INTEGER) AS active_age_days,
FROM listed AS t
LEFT JOIN hidden AS h ON t.task_id = h.task_id
LEFT JOIN rules AS r ON t.rule_id = r.rule_id
LEFT JOIN staging.payers AS p ON t.payer_id = p.payer_id
LEFT JOIN staging.staff AS s ON t.staff_id = s.staff_id
WHERE
    (
        $status = 'all'
        OR t.status = $status
        OR ($status = 'open' AND t.state = 'open')
        OR ($status = 'closed' AND t.state <> 'open')
    )
    AND ($task_id IS NULL OR t.task_id = $task_id)
    AND ($facility_id IS NULL OR t.facility_id = $facility_id)
    AND ($rule_id IS NULL OR t.rule_id = $rule_id)
    AND ($category IS NULL OR r.category = $category)
    AND ($payer_id IS NULL OR COALESCE(t.payer_id, 'self-pay') = $payer_id)
    AND ($staff_id IS NULL OR COALESCE(t.staff_id, 'unassigned') = $staff_id)
    AND ($patient_id IS NULL OR t.patient_id = $patient_id)
ORDER BY t.since, r.title, t.task_id
