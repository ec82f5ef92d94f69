-- What the numbers above the list say of all tasks that match; each row of `matching` is so many `tasks`.
SELECT
    CAST(COALESCE(SUM(t.tasks), 0) AS BIGINT) AS tasks,
    -- As the status overdue has it: what is deferred waits with leave.
    CAST(COALESCE(SUM(t.tasks) FILTER (WHERE t.overdue AND t.status = 'pending'), 0) AS BIGINT) AS overdue,
    CAST(COALESCE(SUM(t.tasks) FILTER (WHERE t.status = 'deferred'), 0) AS BIGINT) AS deferred,
    CAST(COALESCE(SUM(t.tasks) FILTER (WHERE t.staff_key = 'unassigned'), 0) AS BIGINT) AS unassigned,
    -- Only these two hold money that is still to be moved; an amount elsewhere would be counted twice.
    COALESCE(SUM(CASE WHEN t.rule_id IN ('uncollected_payments', 'refund_request') THEN t.amount END), 0) AS amount,
    CAST(COALESCE(SUM(t.tasks) FILTER (WHERE t.is_open), 0) AS BIGINT) AS still_open,
    CAST(COALESCE(SUM(t.tasks) FILTER (WHERE LIST_CONTAINS($closed_by_person, t.close_kind)), 0) AS BIGINT) AS by_people,
FROM matching AS t
