-- The candidates that fell due before the practice began to work with the list, and so do not open.
-- A subject that has a task goes on as it is, and so does an open task that becomes another one.
SELECT
    c.rule_id,
    c.subject_id,
    c.facility_id,
    c.since,
    -- Others would not open anyway.
    s.status IS NOT NULL
    AND NOT (r.ends_at_discharge AND COALESCE(k.is_discharged, FALSE)) AS would_open,
FROM candidates AS c
INNER JOIN go_live_rules AS r ON c.rule_id = r.rule_id AND c.since < r.first_on
LEFT JOIN staging.patients AS p ON c.patient_id = p.patient_id
LEFT JOIN rule_patients AS s ON c.rule_id = s.rule_id AND p.status = s.status
LEFT JOIN staging.cases AS k ON c.case_id = k.case_id
WHERE
    NOT EXISTS (
        SELECT 1,
        FROM brought_in AS b
        WHERE
            b.rule_id = c.rule_id
            AND (
                b.facility_id = c.facility_id
                OR (b.facility_id IS NULL AND c.facility_id IS NULL)
            )
    )
    AND NOT EXISTS (
        SELECT 1,
        FROM tasks_with_actions AS t
        WHERE t.rule_id = c.rule_id AND t.subject_id = c.subject_id
    )
    AND NOT EXISTS (
        SELECT 1,
        FROM go_live_sources AS g
        INNER JOIN tasks_with_actions AS t ON g.rule_id = t.rule_id
        WHERE
            g.target_rule_id = c.rule_id
            AND t.subject_id = c.subject_id
            AND t.state = 'open'
    )
