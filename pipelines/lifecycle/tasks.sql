-- The tasks after this run: the stored ones with its decisions, and the new occurrences.
WITH converted AS (
    SELECT
        d.task_id,
        d.converts_to_task_id,
        ROW_NUMBER() OVER (PARTITION BY d.converts_to_task_id ORDER BY d.task_id) AS choice,
    FROM decisions AS d
    WHERE d.decision = 'converted'
),

outcomes AS (
    SELECT
        d.task_id,
        d.rule_id,
        d.subject_id,
        d.decision,
        d.converts_to_task_id,
        d.decision IN ('refresh', 'came_back') AND d.is_asked AS is_refreshed,
        d.decision = 'came_back' AS is_back,
        d.is_present,
        d.is_held,
        m.event IS NOT NULL AS is_closed_now,
    FROM decisions AS d
    LEFT JOIN move_kinds AS m ON d.decision = m.event AND NOT m.is_in
    WHERE d.task_id IS NOT NULL
),

new_occurrences AS (
    SELECT
        d.rule_id,
        d.subject_id,
    FROM decisions AS d
    WHERE d.decision = 'open'
)

SELECT
    t.task_id,
    t.rule_id,
    t.subject_id,
    t.occurrence,
    t.is_latest AND n.subject_id IS NULL AS is_latest,
    t.previous_task_id,
    CASE
        WHEN d.is_refreshed THEN c.case_id
        -- The task goes with its record to another patient's case.
        WHEN s.patient_id <> t.patient_id THEN s.case_id
        ELSE t.case_id
    END AS case_id,
    COALESCE(s.patient_id, t.patient_id) AS patient_id,
    CASE WHEN d.is_refreshed THEN c.facility_id ELSE t.facility_id END AS facility_id,
    CASE WHEN d.is_refreshed AND $has_payers THEN c.payer_id ELSE t.payer_id END AS payer_id,
    CASE WHEN d.is_refreshed THEN c.staff_id ELSE t.rule_staff_id END AS rule_staff_id,
    -- A new owner of the record takes over from an assigned person, too.
    CASE
        WHEN d.is_refreshed AND COALESCE(c.staff_id, '') <> COALESCE(t.rule_staff_id, '') THEN NULL
        ELSE t.assigned_to_id
    END AS assigned_to_id,
    CASE
        WHEN d.is_refreshed AND r.period IS NULL AND NOT c.since_is_inferred THEN c.since
        ELSE t.since
    END AS since,
    CASE
        WHEN d.is_refreshed AND r.period IS NULL AND NOT c.since_is_inferred THEN FALSE
        ELSE t.since_is_inferred
    END AS since_is_inferred,
    t.opened_at,
    CASE
        WHEN d.is_closed_now THEN 'cleared'
        WHEN d.is_back THEN 'open'
        ELSE t.state
    END AS state,
    CASE
        WHEN d.is_closed_now AND d.decision <> 'source_gone' THEN NULL
        ELSE t.deferred_until
    END AS deferred_until,
    CASE
        WHEN d.is_closed_now THEN $as_of
        WHEN NOT COALESCE(d.is_back, FALSE) THEN t.closed_at
    END AS closed_at,
    CASE
        WHEN d.is_closed_now THEN 'system'
        WHEN NOT COALESCE(d.is_back, FALSE) THEN t.closed_by
    END AS closed_by,
    CASE
        WHEN d.is_closed_now THEN d.decision
        WHEN NOT COALESCE(d.is_back, FALSE) THEN t.close_kind
    END AS close_kind,
    CASE WHEN d.is_refreshed THEN c.reason ELSE t.reason END AS reason,
    CASE WHEN d.is_refreshed THEN c.amount ELSE t.amount END AS amount,
    CASE WHEN d.is_refreshed THEN c.manual ELSE t.manual END AS manual,
    CASE WHEN d.is_refreshed THEN c.episode ELSE t.episode END AS episode,
    CASE
        WHEN d.is_back THEN FALSE
        WHEN d.is_closed_now OR d.decision = 'away' THEN TRUE
        ELSE t.is_away
    END AS is_away,
    CASE
        -- Until the question is answered, a record that is back has not been looked at.
        WHEN d.is_present AND NOT d.is_held THEN NULL
        WHEN NOT d.is_present AND NOT d.is_held THEN COALESCE(t.gone_at, $as_of)
        ELSE t.gone_at
    END AS gone_at,
    COALESCE(s.record_on, t.record_on) AS record_on,
    COALESCE(t.converted_from, f.task_id) AS converted_from,
    CASE
        WHEN d.decision = 'converted' THEN d.converts_to_task_id
        ELSE t.converted_to
    END AS converted_to,
    t.last_seq,
FROM tasks_with_actions AS t
LEFT JOIN rules AS r ON t.rule_id = r.rule_id
-- A task of another patient's record stays where it is.
LEFT JOIN records AS s ON t.task_id = s.task_id AND NOT s.is_reused
LEFT JOIN new_occurrences AS n ON t.rule_id = n.rule_id AND t.subject_id = n.subject_id
LEFT JOIN outcomes AS d ON t.task_id = d.task_id
LEFT JOIN candidates AS c
    ON d.is_refreshed AND d.rule_id = c.rule_id AND d.subject_id = c.subject_id
LEFT JOIN converted AS f ON t.task_id = f.converts_to_task_id AND f.choice = 1
UNION ALL
SELECT
    d.open_task_id AS task_id,
    c.rule_id,
    c.subject_id,
    d.open_occurrence AS occurrence,
    TRUE AS is_latest,
    d.task_id AS previous_task_id,
    c.case_id,
    c.patient_id,
    c.facility_id,
    c.payer_id,
    c.staff_id AS rule_staff_id,
    CAST(NULL AS VARCHAR) AS assigned_to_id,
    c.since,
    c.since_is_inferred,
    COALESCE(e.acted_at, $as_of) AS opened_at,
    'open' AS state,
    NULL AS deferred_until,
    NULL AS closed_at,
    CAST(NULL AS VARCHAR) AS closed_by,
    CAST(NULL AS VARCHAR) AS close_kind,
    c.reason,
    c.amount,
    c.manual,
    c.episode,
    FALSE AS is_away,
    NULL AS gone_at,
    s.record_on,
    f.task_id AS converted_from,
    CAST(NULL AS VARCHAR) AS converted_to,
    0 AS last_seq,
FROM decisions AS d
INNER JOIN candidates AS c ON d.rule_id = c.rule_id AND d.subject_id = c.subject_id
INNER JOIN rules AS r ON d.rule_id = r.rule_id
LEFT JOIN subjects AS s ON r.subject_table = s.subject_table AND d.subject_id = s.subject_id
LEFT JOIN converted AS f ON d.open_task_id = f.converts_to_task_id AND f.choice = 1
-- A run that was undone had opened it before somebody acted on it.
LEFT JOIN acted_before AS e ON d.open_task_id = e.task_id
WHERE d.decision = 'open'
ORDER BY task_id
