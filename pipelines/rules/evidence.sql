-- One explanation of each leaving task: work before a change, then the newest.
WITH ranked AS (
    SELECT
        t.task_id,
        x.is_work,
        x.record_table,
        x.record_id,
        x.happened_on,
        x.amount,
        x.says,
        ROW_NUMBER() OVER (
            PARTITION BY t.task_id
            ORDER BY
                CASE WHEN x.is_work THEN 0 ELSE 1 END ASC,
                COALESCE(x.happened_on, DATE '0001-01-01') DESC,
                LPAD(x.record_id, 64, '0') DESC,
                x.record_id DESC,
                x.says ASC
        ) AS choice,
    FROM leaving_tasks AS t
    INNER JOIN explanations AS x ON t.rule_id = x.rule_id AND t.subject_id = x.subject_id
    WHERE x.says IS NOT NULL
)

SELECT
    r.task_id,
    COALESCE(r.is_work, FALSE) AS is_work,
    r.record_table,
    r.record_id,
    r.happened_on,
    r.amount,
    r.says,
FROM ranked AS r
WHERE r.choice = 1
