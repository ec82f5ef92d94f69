-- The rules of one run: the withheld ones first, then those not connected; a retired rule shows
-- its id as title.
WITH longest AS (
    SELECT
        h.rule_id,
        MAX(h.runs) AS runs,
    FROM held AS h
    GROUP BY h.rule_id
)

SELECT
    a.rule_id,
    COALESCE(r.title, a.rule_id) AS title,
    r.category,
    NOT a.is_answered AND COALESCE(a.is_connected, TRUE) AS is_withheld,
    COALESCE(a.is_connected, TRUE) AS is_connected,
    COALESCE(a.unseen, 0) AS unseen,
    a.reason,
    a.candidates,
    a.opened,
    a.cleared,
    COALESCE(a.withdrawn, 0) AS withdrawn,
    a.converted,
    a.discharged,
    a.source_gone,
    a.held,
    COALESCE(h.runs, 0) AS held_runs,
    COALESCE(a.set_aside, 0) AS set_aside,
FROM run_rules AS a
LEFT JOIN rules AS r ON a.rule_id = r.rule_id
-- The snapshot holds the questions of its own run only.
LEFT JOIN longest AS h
    ON a.rule_id = h.rule_id AND a.run_no = (SELECT MAX(n.run_no), FROM runs AS n)
WHERE a.run_no = $run_no
ORDER BY
    CASE WHEN a.is_answered THEN 2 WHEN COALESCE(a.is_connected, TRUE) THEN 0 ELSE 1 END,
    COALESCE(r.title, a.rule_id),
    a.rule_id
