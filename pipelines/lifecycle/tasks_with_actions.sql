-- The stored tasks that have actions, after these actions.
WITH closings AS (
    SELECT
        a.task_id,
        a.action,
        a.staff_id,
        a.acted_at,
        a.is_override,
        ROW_NUMBER() OVER (PARTITION BY a.task_id ORDER BY a.seq DESC) AS recency,
    FROM actions AS a
    WHERE a.action IN ('complete', 'reopen')
),

deferrals AS (
    SELECT
        a.task_id,
        a.deferred_until,
        ROW_NUMBER() OVER (PARTITION BY a.task_id ORDER BY a.seq DESC) AS recency,
    FROM actions AS a
    WHERE a.action IN ('defer', 'return', 'complete', 'reopen')
),

assignments AS (
    SELECT
        a.task_id,
        a.to_staff_id,
        ROW_NUMBER() OVER (PARTITION BY a.task_id ORDER BY a.seq DESC) AS recency,
    FROM actions AS a
    WHERE a.action = 'assign'
),

touched AS (
    SELECT
        a.task_id,
        MAX(a.seq) AS last_seq,
    FROM actions AS a
    GROUP BY a.task_id
),

-- A person's completion wins over a clearing by a run meanwhile.
-- Reopening opens only the latest occurrence; an older one stays closed.
states AS (
    SELECT
        s.task_id,
        CASE
            WHEN c.action = 'complete' THEN 'completed'
            WHEN c.action = 'reopen' AND s.state = 'completed' AND s.is_latest THEN 'open'
            ELSE s.state
        END AS state,
        c.action = 'complete' AS is_completed_now,
        c.action = 'reopen' AND s.state = 'completed' AND s.is_latest AS is_reopened_now,
        c.staff_id AS completed_by,
        c.acted_at AS completed_at,
        CASE WHEN c.is_override THEN 'override' ELSE 'completed' END AS completed_as,
        CASE WHEN c.action = 'complete' THEN 'completed' ELSE s.close_kind END AS close_kind,
    FROM stored_tasks AS s
    LEFT JOIN closings AS c ON s.task_id = c.task_id AND c.recency = 1
)

SELECT
    s.task_id,
    s.rule_id,
    s.subject_id,
    s.occurrence,
    s.is_latest,
    s.previous_task_id,
    s.case_id,
    s.patient_id,
    s.facility_id,
    s.payer_id,
    s.rule_staff_id,
    CASE WHEN g.task_id IS NOT NULL THEN g.to_staff_id ELSE s.assigned_to_id END AS assigned_to_id,
    s.since,
    s.since_is_inferred,
    s.opened_at,
    x.state,
    -- A task whose record is gone may come back with its deferral.
    CASE
        WHEN x.state <> 'open' AND COALESCE(x.close_kind, '') <> 'source_gone' THEN NULL
        WHEN d.task_id IS NOT NULL THEN d.deferred_until
        ELSE s.deferred_until
    END AS deferred_until,
    CASE
        WHEN x.is_completed_now THEN x.completed_at
        WHEN x.is_reopened_now THEN NULL
        ELSE s.closed_at
    END AS closed_at,
    CASE
        WHEN x.is_completed_now THEN x.completed_by
        WHEN x.is_reopened_now THEN NULL
        ELSE s.closed_by
    END AS closed_by,
    CASE
        WHEN x.is_completed_now THEN x.completed_as
        WHEN x.is_reopened_now THEN NULL
        ELSE s.close_kind
    END AS close_kind,
    s.reason,
    s.amount,
    s.manual,
    s.episode,
    CASE WHEN x.is_reopened_now THEN FALSE ELSE s.is_away END AS is_away,
    s.gone_at,
    s.record_on,
    s.converted_from,
    s.converted_to,
    COALESCE(t.last_seq, s.last_seq) AS last_seq,
FROM stored_tasks AS s
INNER JOIN states AS x ON s.task_id = x.task_id
LEFT JOIN deferrals AS d ON s.task_id = d.task_id AND d.recency = 1
LEFT JOIN assignments AS g ON s.task_id = g.task_id AND g.recency = 1
LEFT JOIN touched AS t ON s.task_id = t.task_id
