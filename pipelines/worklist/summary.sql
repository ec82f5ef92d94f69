-- The numbers above the list, of all tasks that match; each row of `matching` counts `tasks`.
SELECT
    CAST(COALESCE(SUM(t.tasks), 0) AS BIGINT) AS tasks,
    -- As the status overdue has it: a deferred task is not overdue.
    CAST(
        COALESCE(SUM(t.tasks) FILTER (WHERE t.overdue AND t.status = 'pending'), 0) AS BIGINT
    ) AS overdue,
    CAST(COALESCE(SUM(t.tasks) FILTER (WHERE t.status = 'deferred'), 0) AS BIGINT) AS deferred,
    CAST(
        COALESCE(SUM(t.tasks) FILTER (WHERE t.staff_key = 'unassigned'), 0) AS BIGINT
    ) AS unassigned,
    -- Only these types wait for money; amounts of other types would count it twice.
    COALESCE(SUM(t.amount) FILTER (WHERE LIST_CONTAINS($money_types, t.rule_id)), 0) AS amount,
    CAST(COALESCE(SUM(t.tasks) FILTER (WHERE t.is_open), 0) AS BIGINT) AS still_open,
    CAST(
        COALESCE(SUM(t.tasks) FILTER (WHERE LIST_CONTAINS($closed_by_person, t.close_kind)), 0)
        AS BIGINT
    ) AS by_people,
FROM matching AS t
