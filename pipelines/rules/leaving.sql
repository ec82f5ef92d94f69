-- The tasks of one rule that this run no longer asks for, of one payer with parameters of its own,
-- or of all other payers where $payer_id is NULL.
SELECT t.task_id,
FROM leaving_tasks AS t
WHERE
    t.rule_id = $rule_id
    AND CASE
        WHEN $payer_id IS NULL
            THEN NOT COALESCE(t.payer_id = ANY(CAST($own_payers AS VARCHAR[])), FALSE)
        ELSE t.payer_id = $payer_id
    END
