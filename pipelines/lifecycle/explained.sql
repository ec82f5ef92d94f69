-- The decisions with what explains each closing. A task whose work nobody did is withdrawn, with
-- what changed; where the evidence could not be asked, the task stays as it is.
SELECT
    d.rule_id,
    d.subject_id,
    d.task_id,
    d.occurrence,
    CASE
        WHEN d.decision IN ('cleared', 'converted') AND x.rule_id IS NOT NULL THEN 'hold'
        WHEN d.decision = 'cleared' AND NOT COALESCE(e.is_work, FALSE) THEN 'withdrawn'
        ELSE d.decision
    END AS decision,
    d.open_task_id,
    d.open_occurrence,
    CASE WHEN x.rule_id IS NULL THEN d.converts_to_task_id END AS converts_to_task_id,
    d.is_present,
    d.is_asked,
    d.is_held,
    d.is_reused,
    d.patient_id,
    d.facility_id,
    CASE d.decision
        WHEN 'cleared'
            THEN COALESCE(
                e.says,
                CASE WHEN p.rule_id IS NOT NULL THEN p.says ELSE g.says END,
                'nothing asks for it any more'
            )
        WHEN 'converted' THEN COALESCE(e.says, 'it goes on as another task')
        WHEN 'discharged'
            THEN CASE
                WHEN k.case_id IS NULL THEN 'Every case of the patient is discharged.'
                ELSE COALESCE(
                    'The case was discharged on ' || CAST(k.discharged_on AS VARCHAR) || '.',
                    'The case was discharged.'
                )
            END
        WHEN 'source_gone'
            THEN CASE
                WHEN d.is_reused
                    THEN 'The id of the record now belongs to another patient''s record.'
                ELSE 'The record is no longer in the ' || r.subject_table || ' extract.'
            END
    END AS says,
    CASE d.decision
        WHEN 'cleared' THEN e.record_table
        WHEN 'converted' THEN e.record_table
        WHEN 'discharged' THEN CASE WHEN k.case_id IS NOT NULL THEN 'cases' END
        WHEN 'source_gone' THEN r.subject_table
    END AS record_table,
    CASE d.decision
        WHEN 'cleared' THEN e.record_id
        WHEN 'converted' THEN e.record_id
        WHEN 'discharged' THEN k.case_id
        WHEN 'source_gone' THEN d.subject_id
    END AS record_id,
    CASE WHEN d.decision IN ('cleared', 'converted') THEN e.amount END AS amount,
    CAST(NULL AS VARCHAR) AS guard,  -- which guard holds it
FROM first_decisions AS d
INNER JOIN rules AS r ON d.rule_id = r.rule_id
LEFT JOIN tasks_with_actions AS t ON d.task_id = t.task_id
LEFT JOIN staging.cases AS k ON t.case_id = k.case_id
LEFT JOIN evidence AS e ON d.task_id = e.task_id
LEFT JOIN unexplained_rules AS x ON d.rule_id = x.rule_id
-- A payer with parameters of its own has a row of its own, also where they did not change.
LEFT JOIN rule_changes AS p ON d.rule_id = p.rule_id AND t.payer_id = p.payer_id
LEFT JOIN rule_changes AS g ON d.rule_id = g.rule_id AND g.payer_id IS NULL
