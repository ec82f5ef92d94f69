-- One event for each action of a person, numbered after the history so far.
SELECT
    $last_event_no + ROW_NUMBER() OVER (ORDER BY a.seq) AS event_no,
    a.task_id,
    CASE a.action
        WHEN 'complete' THEN CASE WHEN a.is_override THEN 'override' ELSE 'completed' END
        WHEN 'defer' THEN 'deferred'
        WHEN 'return' THEN 'returned'
        WHEN 'reopen' THEN 'reopened'
        WHEN 'assign' THEN 'assigned'
        WHEN 'note' THEN 'noted'
    END AS event,
    a.acted_at AS happened_at,
    a.staff_id,
    a.reason,
    a.deferred_until,
    a.to_staff_id,
    CAST(NULL AS VARCHAR) AS linked_task_id,
    a.seq,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    CAST(NULL AS VARCHAR) AS payer_id,
    CAST(NULL AS VARCHAR) AS record_table,
    CAST(NULL AS VARCHAR) AS record_id,
    CAST(NULL AS DATE) AS since,
    CAST(NULL AS BOOLEAN) AS since_is_inferred,
    CAST(NULL AS VARCHAR) AS from_patient_id,
    CAST(NULL AS VARCHAR) AS facility_id,
    CAST(NULL AS VARCHAR) AS case_id,
FROM actions AS a
