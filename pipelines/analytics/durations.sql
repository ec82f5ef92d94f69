-- Days that the matching tasks took and how they ended, counted for survival curves. A task that
-- came back counts once, until it left for the last time. Open tasks, and tasks ended by a
-- discharge or a missing record, are censored.
WITH spent AS (
    SELECT
        t.task_id,
        t.split,
        CASE $clock
            WHEN 'active' THEN t.active_age_days
            WHEN 'opened' THEN t.age_days - (t.opened_on - t.since)
            ELSE t.age_days
        END AS days,
        CASE WHEN t.is_open THEN 'open' ELSE t.close_kind END AS ended_as,
        t.opened_on - t.since > $late_days AS is_late_entry,
    FROM matching AS t
)

SELECT
    s.split,
    GREATEST(s.days, 0) AS days,
    s.ended_as,
    COUNT(*) AS tasks,
    COUNT(*) FILTER (WHERE s.is_late_entry) AS late_entries,
FROM spent AS s
GROUP BY s.split, GREATEST(s.days, 0), s.ended_as
