-- The questions that this run left open, and for how many runs in a row they have been open.
-- `is_opening` where no open task waits for the answer; `guard` where a guard holds it, and not a
-- refused row; `is_unseen` where a table does not reach back far enough to answer it.
SELECT
    d.rule_id,
    d.subject_id,
    d.task_id,
    d.patient_id,
    d.facility_id,
    t.state IS NULL OR t.state <> 'open' AS is_opening,
    COALESCE(p.runs, 0) + 1 AS runs,
    COALESCE(p.held_from, $as_of) AS held_from,
    d.guard,
    EXISTS (
        SELECT 1,
        FROM unseen AS u
        WHERE d.rule_id = u.rule_id AND d.subject_id = u.subject_id
    ) AS is_unseen,
FROM decisions AS d
LEFT JOIN tasks_with_actions AS t ON d.task_id = t.task_id
LEFT JOIN held_before AS p ON d.rule_id = p.rule_id AND d.subject_id = p.subject_id
WHERE d.decision = 'hold'
