-- The newest runs with what each read, refused, opened, closed and withheld in all.
WITH listed AS (
    SELECT
        r.run_no,
        r.run_id,
        r.as_of,
    FROM runs AS r
    ORDER BY r.run_no DESC
    LIMIT $limit
),

tables_read AS (
    SELECT
        t.run_no,
        SUM(t.rows_read) AS rows_read,
        SUM(t.rows_staged) AS rows_staged,
        SUM(t.rows_refused) AS rows_refused,
        COUNT(*) FILTER (WHERE t.status NOT IN ('accepted', 'absent')) AS tables_not_accepted,
    FROM run_tables AS t
    GROUP BY t.run_no
),

rules_asked AS (
    SELECT
        a.run_no,
        SUM(a.opened) AS opened,
        SUM(
            a.cleared + COALESCE(a.withdrawn, 0) + a.converted + a.discharged + a.source_gone
        ) AS closed,
        COUNT(*) FILTER (
            WHERE NOT a.is_answered AND COALESCE(a.is_connected, TRUE)
        ) AS withheld,
    FROM run_rules AS a
    GROUP BY a.run_no
)

SELECT
    l.run_no,
    l.run_id,
    l.as_of,
    CAST(COALESCE(t.rows_read, 0) AS BIGINT) AS rows_read,
    CAST(COALESCE(t.rows_staged, 0) AS BIGINT) AS rows_staged,
    CAST(COALESCE(t.rows_refused, 0) AS BIGINT) AS rows_refused,
    COALESCE(t.tables_not_accepted, 0) AS tables_not_accepted,
    CAST(COALESCE(a.opened, 0) AS BIGINT) AS opened,
    CAST(COALESCE(a.closed, 0) AS BIGINT) AS closed,
    COALESCE(a.withheld, 0) AS withheld,
FROM listed AS l
LEFT JOIN tables_read AS t ON l.run_no = t.run_no
LEFT JOIN rules_asked AS a ON l.run_no = a.run_no
ORDER BY l.run_no DESC
