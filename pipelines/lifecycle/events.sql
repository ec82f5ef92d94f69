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
        c.since,
        c.since_is_inferred,
        CAST(NULL AS VARCHAR) AS from_patient_id,
        c.facility_id,
        c.case_id,
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
        CAST(NULL AS DATE) AS since,
        CAST(NULL AS BOOLEAN) AS since_is_inferred,
        CAST(NULL AS VARCHAR) AS from_patient_id,
        CAST(NULL AS VARCHAR) AS facility_id,
        CAST(NULL AS VARCHAR) AS case_id,
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
        CAST(NULL AS DATE) AS since,
        CAST(NULL AS BOOLEAN) AS since_is_inferred,
        CAST(NULL AS VARCHAR) AS from_patient_id,
        CAST(NULL AS VARCHAR) AS facility_id,
        CAST(NULL AS VARCHAR) AS case_id,
    FROM decisions AS d
    INNER JOIN move_kinds AS m ON d.decision = m.event AND NOT m.is_in
    UNION ALL
    SELECT
        d.task_id,
        'came_back' AS event,
        3 AS position,
        'the record is in the ' || r.subject_table || ' extract again' AS reason,
        CAST(NULL AS VARCHAR) AS to_staff_id,
        CAST(NULL AS VARCHAR) AS linked_task_id,
        CAST(NULL AS DECIMAL(12, 2)) AS amount,
        CAST(NULL AS VARCHAR) AS payer_id,
        r.subject_table AS record_table,
        d.subject_id AS record_id,
        CAST(NULL AS DATE) AS since,
        CAST(NULL AS BOOLEAN) AS since_is_inferred,
        CAST(NULL AS VARCHAR) AS from_patient_id,
        CAST(NULL AS VARCHAR) AS facility_id,
        CAST(NULL AS VARCHAR) AS case_id,
    FROM decisions AS d
    INNER JOIN rules AS r ON d.rule_id = r.rule_id
    WHERE d.decision = 'came_back'
    UNION ALL
    SELECT
        t.task_id,
        'patient_changed' AS event,
        4 AS position,
        'the record moved from patient ' || t.patient_id || ' to patient ' || a.patient_id
            AS reason,
        CAST(NULL AS VARCHAR) AS to_staff_id,
        CAST(NULL AS VARCHAR) AS linked_task_id,
        CAST(NULL AS DECIMAL(12, 2)) AS amount,
        CAST(NULL AS VARCHAR) AS payer_id,
        CAST(NULL AS VARCHAR) AS record_table,
        CAST(NULL AS VARCHAR) AS record_id,
        CAST(NULL AS DATE) AS since,
        CAST(NULL AS BOOLEAN) AS since_is_inferred,
        t.patient_id AS from_patient_id,
        CAST(NULL AS VARCHAR) AS facility_id,
        CAST(NULL AS VARCHAR) AS case_id,
    FROM tasks_with_actions AS t
    INNER JOIN tasks_after AS a ON t.task_id = a.task_id AND t.patient_id <> a.patient_id
    UNION ALL
    SELECT
        t.task_id,
        'owner_changed' AS event,
        5 AS position,
        'The record''s owner changed in the EMR.' AS reason,
        c.staff_id AS to_staff_id,
        CAST(NULL AS VARCHAR) AS linked_task_id,
        CAST(NULL AS DECIMAL(12, 2)) AS amount,
        CAST(NULL AS VARCHAR) AS payer_id,
        CAST(NULL AS VARCHAR) AS record_table,
        CAST(NULL AS VARCHAR) AS record_id,
        CAST(NULL AS DATE) AS since,
        CAST(NULL AS BOOLEAN) AS since_is_inferred,
        CAST(NULL AS VARCHAR) AS from_patient_id,
        CAST(NULL AS VARCHAR) AS facility_id,
        CAST(NULL AS VARCHAR) AS case_id,
    FROM decisions AS d
    INNER JOIN tasks_with_actions AS t ON d.task_id = t.task_id
    INNER JOIN candidates AS c ON d.rule_id = c.rule_id AND d.subject_id = c.subject_id
    WHERE
        d.decision IN ('refresh', 'came_back')
        AND COALESCE(c.staff_id, '') <> COALESCE(t.rule_staff_id, '')
    UNION ALL
    -- Past lists need every earlier value of a task.
    SELECT
        t.task_id,
        'updated' AS event,
        6 AS position,
        c.reason,
        CAST(NULL AS VARCHAR) AS to_staff_id,
        CAST(NULL AS VARCHAR) AS linked_task_id,
        c.amount,
        COALESCE(CASE WHEN $has_payers THEN c.payer_id ELSE t.payer_id END, 'self-pay') AS payer_id,
        CAST(NULL AS VARCHAR) AS record_table,
        CAST(NULL AS VARCHAR) AS record_id,
        a.since,
        a.since_is_inferred,
        CAST(NULL AS VARCHAR) AS from_patient_id,
        a.facility_id,
        a.case_id,
    FROM decisions AS d
    INNER JOIN tasks_with_actions AS t ON d.task_id = t.task_id
    INNER JOIN candidates AS c ON d.rule_id = c.rule_id AND d.subject_id = c.subject_id
    INNER JOIN tasks_after AS a ON d.task_id = a.task_id
    WHERE
        d.decision IN ('refresh', 'came_back')
        AND (
            c.reason IS DISTINCT FROM t.reason
            OR c.amount IS DISTINCT FROM t.amount
            OR a.since IS DISTINCT FROM t.since
            OR a.facility_id IS DISTINCT FROM t.facility_id
            OR a.case_id IS DISTINCT FROM t.case_id
            OR ($has_payers AND c.payer_id IS DISTINCT FROM t.payer_id)
        )
)

SELECT
    $last_event_no + ROW_NUMBER() OVER (
        -- Several tasks may go on as one, each with an event of the same position.
        ORDER BY h.task_id, h.position, h.event, h.linked_task_id
    ) AS event_no,
    h.task_id,
    h.event,
    CASE WHEN h.event = 'opened' THEN COALESCE(b.acted_at, $as_of) ELSE $as_of END AS happened_at,
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
    h.since,
    h.since_is_inferred,
    h.from_patient_id,
    h.facility_id,
    h.case_id,
FROM happenings AS h
LEFT JOIN acted_before AS b ON h.task_id = b.task_id
