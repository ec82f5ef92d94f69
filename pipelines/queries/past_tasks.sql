-- The tasks as they stood at an earlier moment (in the table `moment`): the last event until then says whether each was open, deferred or closed.
WITH endings AS (
    SELECT
        e.task_id,
        e.event,
        e.happened_at,
        e.staff_id,
        ROW_NUMBER() OVER (PARTITION BY e.task_id ORDER BY e.happened_at DESC, e.event_no DESC) AS recency,
    FROM current_events AS e
    CROSS JOIN moment AS m
    WHERE
        e.happened_at <= m.seen_at
        AND e.event IN ('completed', 'override', 'cleared', 'converted', 'discharged', 'source_gone', 'reopened')
),

deferrals AS (
    SELECT
        e.task_id,
        e.deferred_until,
        ROW_NUMBER() OVER (PARTITION BY e.task_id ORDER BY e.happened_at DESC, e.event_no DESC) AS recency,
    FROM current_events AS e
    CROSS JOIN moment AS m
    WHERE e.happened_at <= m.seen_at AND e.event IN ('deferred', 'returned', 'completed', 'override', 'reopened')
),

states AS (
    SELECT
        t.task_id,
        CASE
            WHEN e.event IS NULL OR e.event = 'reopened' THEN 'open'
            WHEN e.event IN ('completed', 'override') THEN 'completed'
            ELSE 'cleared'
        END AS state,
        e.event,
        e.happened_at,
        e.staff_id,
    FROM stored_now AS t
    LEFT JOIN endings AS e ON t.task_id = e.task_id AND e.recency = 1
)

SELECT
    t.task_id,
    t.rule_id,
    t.subject_id,
    t.occurrence,
    t.is_latest,
    t.previous_task_id,
    t.case_id,
    t.patient_id,
    t.facility_id,
    t.payer_id,
    t.rule_staff_id,
    t.assigned_to_id,
    t.since,
    t.opened_at,
    s.state,
    CASE WHEN s.state = 'open' THEN d.deferred_until END AS deferred_until,
    CASE WHEN s.state <> 'open' THEN s.happened_at END AS closed_at,
    CASE WHEN s.state <> 'open' THEN COALESCE(s.staff_id, 'system') END AS closed_by,
    CASE WHEN s.state <> 'open' THEN s.event END AS close_kind,
    t.reason,
    t.amount,
    t.manual,
    t.episode,
    t.is_away,
    t.converted_from,
    t.converted_to,
    t.last_seq,
FROM stored_now AS t
INNER JOIN states AS s ON t.task_id = s.task_id
LEFT JOIN deferrals AS d ON t.task_id = d.task_id AND d.recency = 1
CROSS JOIN moment AS m
WHERE t.opened_at <= m.seen_at
