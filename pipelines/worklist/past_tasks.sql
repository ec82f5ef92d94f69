-- The tasks of `stored_now` at an earlier moment, from the last events until then. `moved_events`
-- ends at that moment; `changed_owners` are the tasks whose record ever changed its owner.
WITH endings AS (
    SELECT
        e.task_id,
        e.event,
        e.happened_at,
        e.staff_id,
        ROW_NUMBER() OVER (
            PARTITION BY e.task_id ORDER BY e.happened_at DESC, e.event_no DESC
        ) AS recency,
    FROM moved_events AS e
    WHERE LIST_CONTAINS($every_close_kind, e.event) OR LIST_CONTAINS($enters_list, e.event)
),

deferrals AS (
    SELECT
        e.task_id,
        e.deferred_until,
        ROW_NUMBER() OVER (
            PARTITION BY e.task_id ORDER BY e.happened_at DESC, e.event_no DESC
        ) AS recency,
    FROM moved_events AS e
    WHERE LIST_CONTAINS($words_on_deferral, e.event)
),

states AS (
    SELECT
        t.task_id,
        CASE
            WHEN e.event IS NULL OR LIST_CONTAINS($enters_list, e.event) THEN 'open'
            WHEN LIST_CONTAINS($closed_by_person, e.event) THEN 'completed'
            ELSE 'cleared'
        END AS state,
        e.event,
        e.happened_at,
        e.staff_id,
    FROM stored_now AS t
    LEFT JOIN endings AS e ON t.task_id = e.task_id AND e.recency = 1
),

-- Reason, amount, payer, day, facility and case at that moment. Tasks older than this record keep
-- those of now.
sayings AS (
    SELECT
        e.task_id,
        e.reason,
        e.amount,
        e.payer_id,
        e.since,
        e.since_is_inferred,
        e.facility_id,
        e.case_id,
        ROW_NUMBER() OVER (
            PARTITION BY e.task_id ORDER BY e.happened_at DESC, e.event_no DESC
        ) AS recency,
    FROM moved_events AS e
    WHERE e.event IN ('opened', 'updated') AND e.payer_id IS NOT NULL
),

record_owners AS (
    SELECT
        e.task_id,
        e.to_staff_id,
        e.happened_at,
        ROW_NUMBER() OVER (
            PARTITION BY e.task_id ORDER BY e.happened_at DESC, e.event_no DESC
        ) AS recency,
    FROM moved_events AS e
    WHERE e.event = 'owner_changed'
),

first_owners AS (
    SELECT
        e.task_id,
        e.to_staff_id,
    FROM moved_events AS e
    INNER JOIN changed_owners AS c ON e.task_id = c.task_id
    WHERE e.event = 'opened'
),

assignments AS (
    SELECT
        e.task_id,
        e.to_staff_id,
        e.happened_at,
        ROW_NUMBER() OVER (
            PARTITION BY e.task_id ORDER BY e.happened_at DESC, e.event_no DESC
        ) AS recency,
    FROM moved_events AS e
    WHERE e.event = 'assigned'
)

SELECT
    t.task_id,
    t.rule_id,
    t.subject_id,
    t.occurrence,
    t.is_latest,
    t.previous_task_id,
    CASE WHEN y.facility_id IS NULL THEN t.case_id ELSE y.case_id END AS case_id,
    t.patient_id,
    COALESCE(y.facility_id, t.facility_id) AS facility_id,
    CASE WHEN y.task_id IS NULL THEN t.payer_id ELSE NULLIF(y.payer_id, 'self-pay') END AS payer_id,
    CASE
        WHEN r.task_id IS NOT NULL THEN r.to_staff_id
        WHEN f.task_id IS NOT NULL THEN f.to_staff_id
        ELSE t.rule_staff_id
    END AS rule_staff_id,
    -- A change of the record's owner ends an assignment.
    CASE
        WHEN a.happened_at > COALESCE(r.happened_at, t.opened_at) OR r.task_id IS NULL
            THEN a.to_staff_id
    END AS assigned_to_id,
    COALESCE(y.since, t.since) AS since,
    CASE WHEN y.since IS NULL THEN t.since_is_inferred ELSE y.since_is_inferred END
        AS since_is_inferred,
    t.opened_at,
    s.state,
    CASE WHEN s.state = 'open' THEN d.deferred_until END AS deferred_until,
    CASE WHEN s.state <> 'open' THEN s.happened_at END AS closed_at,
    CASE WHEN s.state <> 'open' THEN COALESCE(s.staff_id, 'system') END AS closed_by,
    CASE WHEN s.state <> 'open' THEN s.event END AS close_kind,
    CASE WHEN y.task_id IS NULL THEN t.reason ELSE y.reason END AS reason,
    CASE WHEN y.task_id IS NULL THEN t.amount ELSE y.amount END AS amount,
    t.manual,
    t.episode,
    t.is_away,
    t.gone_at,
    t.record_on,
    t.converted_from,
    t.converted_to,
    t.last_seq,
FROM stored_now AS t
INNER JOIN states AS s ON t.task_id = s.task_id
LEFT JOIN deferrals AS d ON t.task_id = d.task_id AND d.recency = 1
LEFT JOIN sayings AS y ON t.task_id = y.task_id AND y.recency = 1
LEFT JOIN record_owners AS r ON t.task_id = r.task_id AND r.recency = 1
LEFT JOIN first_owners AS f ON t.task_id = f.task_id
LEFT JOIN assignments AS a ON t.task_id = a.task_id AND a.recency = 1
