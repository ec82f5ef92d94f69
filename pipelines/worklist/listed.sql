-- The tasks of current_tasks at the moment in the table `moment`, with names, status, and age in
-- days of the facility; all of them, or those of some ids or of one patient.
WITH chosen AS (
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
        t.since_is_inferred,
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
        t.is_latest,
        t.assigned_to_id,
        t.rule_staff_id,
        m.seen_at,
    FROM current_tasks AS t
    CROSS JOIN moment AS m
    WHERE
        t.opened_at <= m.seen_at
        AND (CAST($task_ids AS VARCHAR[]) IS NULL OR t.task_id = ANY(CAST($task_ids AS VARCHAR[])))
        AND ($patient_id IS NULL OR t.patient_id = $patient_id)
),

deferred_tasks AS (
    SELECT d.task_id,
    FROM current_events AS d
    INNER JOIN chosen AS c ON d.task_id = c.task_id
    WHERE d.event = 'deferred'
),

stretches AS (
    SELECT
        e.task_id,
        e.event,
        e.happened_at,
        e.deferred_until,
        LEAD(e.happened_at) OVER (
            PARTITION BY e.task_id ORDER BY e.happened_at, e.event_no
        ) AS ended_at,
    FROM current_events AS e
    CROSS JOIN moment AS m
    WHERE
        e.happened_at <= m.seen_at
        -- Few tasks were ever deferred; the others need no ordering of their events.
        AND e.task_id IN (
            SELECT d.task_id,
            FROM deferred_tasks AS d
        )
        AND LIST_CONTAINS(CAST($events_of_deferral AS VARCHAR[]), e.event)
),

-- A deferral lasts until its time, the next step that ends it, or now.
hidden AS (
    SELECT
        s.task_id,
        SUM(
            DATE_DIFF(
                'second',
                s.happened_at,
                LEAST(s.deferred_until, COALESCE(s.ended_at, m.seen_at), m.seen_at)
            )
        ) AS seconds,
    FROM stretches AS s
    CROSS JOIN moment AS m
    WHERE s.event = 'deferred'
    GROUP BY s.task_id
),

listed AS (
    SELECT
        c.task_id,
        c.rule_id,
        c.subject_id,
        c.occurrence,
        c.case_id,
        c.patient_id,
        c.facility_id,
        c.payer_id,
        c.since,
        c.since_is_inferred,
        c.opened_at,
        c.state,
        c.deferred_until,
        c.closed_at,
        c.closed_by,
        c.close_kind,
        c.reason,
        c.amount,
        c.manual,
        c.last_seq,
        c.is_latest,
        c.assigned_to_id,
        c.seen_at,
        f.name AS facility,
        COALESCE(f.time_zone, 'UTC') AS time_zone,
        CASE
            WHEN c.state <> 'open' THEN c.state
            WHEN c.deferred_until > c.seen_at THEN 'deferred'
            ELSE 'pending'
        END AS status,
        CAST(
            COALESCE(c.closed_at, c.seen_at) AT TIME ZONE COALESCE(f.time_zone, 'UTC') AS DATE
        ) - c.since AS age_days,
        COALESCE(c.assigned_to_id, c.rule_staff_id) AS staff_id,
    FROM chosen AS c
    LEFT JOIN staging.facilities AS f ON c.facility_id = f.facility_id
)

SELECT
    t.task_id,
    t.rule_id,
    r.title,
    r.category,
    t.subject_id,
    t.occurrence,
    t.patient_id,
    COALESCE(
        n.last_name || ', ' || n.first_name, n.last_name, n.first_name, t.patient_id
    ) AS patient,
    t.case_id,
    t.facility_id,
    COALESCE(t.facility, t.facility_id) AS facility,
    COALESCE(t.payer_id, 'self-pay') AS payer_key,
    t.payer_id,
    COALESCE(p.name, 'Self-pay') AS payer,
    COALESCE(t.staff_id, 'unassigned') AS staff_key,
    t.staff_id,
    COALESCE(s.name, t.staff_id, 'Unassigned') AS staff,
    t.assigned_to_id,
    t.since,
    t.since + r.due_days AS due_on,
    t.opened_at,
    CAST(t.opened_at AT TIME ZONE t.time_zone AS DATE) AS opened_on,
    t.state = 'open' AS is_open,
    t.status,
    CASE WHEN t.status = 'deferred' THEN t.deferred_until END AS deferred_until,
    CASE
        WHEN t.status = 'deferred' THEN t.deferred_until AT TIME ZONE t.time_zone
    END AS returns_at,
    t.closed_at,
    CAST(t.closed_at AT TIME ZONE t.time_zone AS DATE) AS closed_on,
    t.closed_by,
    t.close_kind,
    t.reason,
    t.amount,
    t.age_days,
    CASE
        WHEN t.age_days <= 1 THEN '0-1'
        WHEN t.age_days <= 3 THEN '2-3'
        WHEN t.age_days <= 7 THEN '4-7'
        WHEN t.age_days <= 14 THEN '8-14'
        WHEN t.age_days <= 30 THEN '15-30'
        ELSE '31-'
    END AS age_band,
    COALESCE(t.state = 'open' AND t.age_days > r.due_days, FALSE) AS overdue,
    t.last_seq,
    t.manual,
    t.is_latest,
    COALESCE(t.since_is_inferred, FALSE) AS since_is_inferred,
    t.age_days - CAST(FLOOR(COALESCE(h.seconds, 0) / 86400) AS INTEGER) AS active_age_days,
    -- When the row changes by itself within a day: the deferral ends or reaches one more full day.
    CASE
        WHEN t.status = 'deferred' THEN LEAST(
            t.deferred_until,
            DATE_TRUNC('second', t.seen_at) + (86400 - h.seconds % 86400) * INTERVAL 1 SECOND
        )
    END AS changes_at,
FROM listed AS t
LEFT JOIN hidden AS h ON t.task_id = h.task_id
LEFT JOIN rules AS r ON t.rule_id = r.rule_id
LEFT JOIN staging.patients AS n ON t.patient_id = n.patient_id
LEFT JOIN staging.payers AS p ON t.payer_id = p.payer_id
LEFT JOIN staging.staff AS s ON t.staff_id = s.staff_id
