-- The events of this run, numbered after the history so far.
WITH happenings AS (
    SELECT
        d.open_task_id AS task_id,
        'opened' AS event,
        1 AS position,
        c.reason,
        c.staff_id AS to_staff_id,
        d.task_id AS linked_task_id,
        c.amount,
        COALESCE(c.payer_id, 'self-pay') AS payer_id,
        CAST(NULL AS VARCHAR) AS record_table,
        CAST(NULL AS VARCHAR) AS record_id,
    FROM decisions AS d
    INNER JOIN candidates AS c ON d.rule_id = c.rule_id AND d.subject_id = c.subject_id
    WHERE d.decision = 'open'
    UNION ALL
    SELECT
        d.converts_to_task_id AS task_id,
        'converted_from' AS event,
        2 AS position,
        d.says AS reason,
        CAST(NULL AS VARCHAR) AS to_staff_id,
        d.task_id AS linked_task_id,
        d.amount,
        CAST(NULL AS VARCHAR) AS payer_id,
        d.record_table,
        d.record_id,
    FROM decisions AS d
    WHERE d.decision = 'converted'
    UNION ALL
    SELECT
        d.task_id,
        d.decision AS event,
        3 AS position,
        d.says AS reason,
        CAST(NULL AS VARCHAR) AS to_staff_id,
        d.converts_to_task_id AS linked_task_id,
        d.amount,
        CAST(NULL AS VARCHAR) AS payer_id,
        d.record_table,
        d.record_id,
    FROM decisions AS d
    INNER JOIN move_kinds AS m ON d.decision = m.event AND NOT m.is_in
    UNION ALL
    SELECT
        t.task_id,
        'owner_changed' AS event,
        4 AS position,
        'The record''s owner changed in the EMR.' AS reason,
        c.staff_id AS to_staff_id,
        CAST(NULL AS VARCHAR) AS linked_task_id,
        CAST(NULL AS DECIMAL(12, 2)) AS amount,
        CAST(NULL AS VARCHAR) AS payer_id,
        CAST(NULL AS VARCHAR) AS record_table,
        CAST(NULL AS VARCHAR) AS record_id,
    FROM decisions AS d
    INNER JOIN tasks_with_actions AS t ON d.task_id = t.task_id
    INNER JOIN candidates AS c ON d.rule_id = c.rule_id AND d.subject_id = c.subject_id
    WHERE d.decision = 'refresh' AND COALESCE(c.staff_id, '') <> COALESCE(t.rule_staff_id, '')
    UNION ALL
    -- Past lists need every earlier value of a task.
    SELECT
        t.task_id,
        'updated' AS event,
        5 AS position,
        c.reason,
        CAST(NULL AS VARCHAR) AS to_staff_id,
        CAST(NULL AS VARCHAR) AS linked_task_id,
        c.amount,
        COALESCE(CASE WHEN $has_payers THEN c.payer_id ELSE t.payer_id END, 'self-pay') AS payer_id,
        CAST(NULL AS VARCHAR) AS record_table,
        CAST(NULL AS VARCHAR) AS record_id,
    FROM decisions AS d
    INNER JOIN tasks_with_actions AS t ON d.task_id = t.task_id
    INNER JOIN candidates AS c ON d.rule_id = c.rule_id AND d.subject_id = c.subject_id
    WHERE
        d.decision = 'refresh'
        AND (
            c.reason IS DISTINCT FROM t.reason
            OR c.amount IS DISTINCT FROM t.amount
            OR ($has_payers AND c.payer_id IS DISTINCT FROM t.payer_id)
        )
)

SELECT
    $last_event_no + ROW_NUMBER() OVER (ORDER BY h.task_id, h.position) AS event_no,
    h.task_id,
    h.event,
    $as_of AS happened_at,
    CAST(NULL AS VARCHAR) AS staff_id,
    h.reason,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS deferred_until,
    h.to_staff_id,
    h.linked_task_id,
    CAST(NULL AS BIGINT) AS seq,
    h.amount,
    h.payer_id,
    h.record_table,
    h.record_id,
FROM happenings AS h
