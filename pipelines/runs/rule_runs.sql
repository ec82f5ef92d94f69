-- The candidates of one rule in each run and what became of them, the newest run first.
SELECT
    a.run_no,
    r.run_id,
    r.as_of,
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
    COALESCE(a.set_aside, 0) AS set_aside,
FROM run_rules AS a
INNER JOIN runs AS r ON a.run_no = r.run_no
WHERE a.rule_id = $rule_id
ORDER BY a.run_no DESC
LIMIT $limit
