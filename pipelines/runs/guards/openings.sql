-- Openings by task type and facility, and the largest number that one run of the last days opened
-- there. Rules that never answered before, rules that changed, and facilities that are new begin
-- with what they find.
WITH changed_rules AS (
    SELECT DISTINCT r.rule_id,
    FROM rule_changes AS r
    WHERE r.says IS NOT NULL
),

now_open AS (
    SELECT
        d.rule_id,
        d.facility_id,
        COUNT(*) AS openings,
    FROM decisions AS d
    INNER JOIN asked_before AS a ON d.rule_id = a.rule_id
    LEFT JOIN changed_rules AS c ON d.rule_id = c.rule_id
    WHERE d.decision = 'open' AND c.rule_id IS NULL
    GROUP BY d.rule_id, d.facility_id
),

earlier_runs AS (
    SELECT
        t.rule_id,
        t.facility_id,
        t.opened_at,
        COUNT(*) AS openings,
    FROM tasks_with_actions AS t
    WHERE t.opened_at >= $since
    GROUP BY t.rule_id, t.facility_id, t.opened_at
),

largest AS (
    SELECT
        r.rule_id,
        r.facility_id,
        MAX(r.openings) AS openings,
    FROM earlier_runs AS r
    GROUP BY r.rule_id, r.facility_id
)

SELECT
    n.facility_id,
    n.rule_id,
    n.openings,
    COALESCE(l.openings, 0) AS largest,
FROM now_open AS n
INNER JOIN facilities_before AS f ON n.facility_id IS NOT DISTINCT FROM f.facility_id
LEFT JOIN largest AS l
    ON n.rule_id = l.rule_id AND n.facility_id IS NOT DISTINCT FROM l.facility_id
