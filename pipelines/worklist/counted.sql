-- The open tasks of `asked`, counted by all that the filters of the list choose by; $sign is -1 to take them out of the count again.
SELECT
    t.facility_id,
    t.category,
    t.rule_id,
    t.payer_key,
    t.staff_key,
    t.age_band,
    t.status,
    t.overdue,
    t.is_open,
    t.close_kind,
    CAST($sign * COUNT(*) AS INTEGER) AS tasks,
    CAST($sign * SUM(t.amount) AS DECIMAL(18, 2)) AS amount,
FROM asked AS t
GROUP BY
    t.facility_id, t.category, t.rule_id, t.payer_key, t.staff_key, t.age_band, t.status, t.overdue, t.is_open, t.close_kind
