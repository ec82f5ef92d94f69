-- Closings that no new work explains, and the tasks open before, by facility and task type. Work is
-- new where its record is (`new_evidence`) or where it was done since the run before.
WITH changed_rules AS (
    SELECT DISTINCT r.rule_id,
    FROM rule_changes AS r
    WHERE r.says IS NOT NULL
),

counted AS (
    SELECT
        d.rule_id,
        d.facility_id,
        CASE
            WHEN d.decision = 'cleared'
                THEN NOT COALESCE(w.task_id IS NOT NULL OR e.happened_on >= $since, FALSE)
            WHEN d.decision = 'withdrawn' THEN c.rule_id IS NULL
            WHEN d.decision = 'source_gone' THEN $counts_gone
            ELSE d.decision = 'discharged'
        END AS is_counted,
    FROM decisions AS d
    LEFT JOIN evidence AS e ON d.task_id = e.task_id
    LEFT JOIN new_evidence AS w ON d.task_id = w.task_id
    -- Who changed a rule expects its tasks to go.
    LEFT JOIN changed_rules AS c ON d.rule_id = c.rule_id
),

closings AS (
    SELECT
        n.rule_id,
        n.facility_id,
        COUNT(*) AS closings,
    FROM counted AS n
    WHERE n.is_counted
    GROUP BY n.rule_id, n.facility_id
),

open_tasks AS (
    SELECT
        t.rule_id,
        t.facility_id,
        COUNT(*) AS tasks,
    FROM tasks_with_actions AS t
    WHERE t.state = 'open'
    GROUP BY t.rule_id, t.facility_id
)

SELECT
    COALESCE(o.facility_id, c.facility_id) AS facility_id,
    COALESCE(o.rule_id, c.rule_id) AS rule_id,
    COALESCE(c.closings, 0) AS closings,
    COALESCE(o.tasks, 0) AS open_tasks,
FROM open_tasks AS o
FULL OUTER JOIN closings AS c
    ON o.rule_id = c.rule_id AND o.facility_id IS NOT DISTINCT FROM c.facility_id
