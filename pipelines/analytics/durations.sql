-- Days that the matching tasks took and how they ended, counted for survival curves. A task that
-- came back counts once, until it left for the last time. Tasks that are open or ended without
-- work are censored.
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
        t.since_is_inferred,
    FROM matching AS t
)

SELECT
    s.split,
    GREATEST(s.days, 0) AS days,
    s.ended_as,
    COUNT(*) AS tasks,
    COUNT(*) FILTER (WHERE s.is_late_entry) AS late_entries,
    COUNT(*) FILTER (WHERE s.since_is_inferred) AS inferred,
FROM spent AS s
GROUP BY s.split, GREATEST(s.days, 0), s.ended_as
