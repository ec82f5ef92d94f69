-- The decisions with those that guards hold: neither closed nor opened until a person accepts it.
WITH held AS (
    SELECT
        d.rule_id,
        d.subject_id,
        d.task_id,
        d.decision,
        d.open_task_id,
        g.guard,
    FROM decisions AS d
    INNER JOIN tripped_guards AS g
        ON
            (g.rule_id IS NULL OR d.rule_id = g.rule_id)
            AND d.facility_id IS NOT DISTINCT FROM g.facility_id
            AND CASE g.kind
                WHEN 'openings' THEN d.decision = 'open'
                ELSE d.decision IN ('cleared', 'withdrawn', 'discharged', 'source_gone')
            END
),

-- A task goes on as another one only where that one opens.
waiting AS (
    SELECT
        d.task_id,
        h.guard,
    FROM decisions AS d
    INNER JOIN held AS h ON d.converts_to_task_id = h.open_task_id AND h.decision = 'open'
    WHERE d.decision = 'converted'
)

SELECT
    d.rule_id,
    d.subject_id,
    d.task_id,
    d.occurrence,
    CASE WHEN h.guard IS NULL AND w.guard IS NULL THEN d.decision ELSE 'hold' END AS decision,
    CASE WHEN h.guard IS NULL THEN d.open_task_id END AS open_task_id,
    CASE WHEN h.guard IS NULL THEN d.open_occurrence END AS open_occurrence,
    CASE WHEN w.guard IS NULL THEN d.converts_to_task_id END AS converts_to_task_id,
    d.is_present,
    d.is_asked,
    d.is_held OR h.guard IS NOT NULL OR w.guard IS NOT NULL AS is_held,
    d.is_reused,
    d.patient_id,
    d.facility_id,
    d.says,
    d.record_table,
    d.record_id,
    d.amount,
    COALESCE(h.guard, w.guard) AS guard,
FROM decisions AS d
LEFT JOIN held AS h
    ON
        d.rule_id = h.rule_id
        AND d.subject_id = h.subject_id
        AND d.task_id IS NOT DISTINCT FROM h.task_id
LEFT JOIN waiting AS w ON d.task_id = w.task_id
