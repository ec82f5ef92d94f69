-- The rules of one run, the withheld ones first; a retired rule shows its id as title.
SELECT
    a.rule_id,
    COALESCE(r.title, a.rule_id) AS title,
    r.category,
    NOT a.is_answered AS is_withheld,
    a.reason,
    a.candidates,
    a.opened,
    a.cleared,
    COALESCE(a.withdrawn, 0) AS withdrawn,
    a.converted,
    a.discharged,
    a.source_gone,
    a.held,
FROM run_rules AS a
LEFT JOIN rules AS r ON a.rule_id = r.rule_id
WHERE a.run_no = $run_no
ORDER BY CASE WHEN a.is_answered THEN 1 ELSE 0 END, COALESCE(r.title, a.rule_id), a.rule_id
