/* One row for each day of an appointment, up to the horizon. A day that was changed or cancelled by
   itself is excluded from its series (exdate) and an appointment of its own. */
WITH candidates AS (
    SELECT
        e.event_id,
        e.starts_on,
        e.recurrence,
        e.days,
        e.every,
        e.unit,
        e.on_num,
        e.on_day,
        e.on_every,
        e.excluded,
        CAST(
            UNNEST(
                GENERATE_SERIES(
                    CAST(e.starts_on AS TIMESTAMP),
                    CAST(LEAST(COALESCE(e.ends_on, c.horizon_on), c.horizon_on) AS TIMESTAMP),
                    INTERVAL 1 DAY
                )
            ) AS DATE
        ) AS on_day_of,
    FROM step.events AS e
    CROSS JOIN step.calendar AS c
    WHERE e.recurrence > 0 AND e.starts_on IS NOT NULL
),

measured AS (
    SELECT
        x.event_id,
        x.on_day_of,
        x.recurrence,
        x.unit,
        x.every,
        x.on_num,
        x.on_day,
        x.on_every,
        x.days,
        x.excluded,
        DAYOFWEEK(x.on_day_of) AS weekday, -- 0 is Sunday
        DATE_DIFF('day', x.starts_on, x.on_day_of) AS days_after,
        DATE_DIFF('month', x.starts_on, x.on_day_of) AS months_after,
        DAY(x.on_day_of) = DAY(x.starts_on) AS is_same_day,
        -- Mondays to Fridays since the first day
        SUM(CASE WHEN DAYOFWEEK(x.on_day_of) BETWEEN 1 AND 5 THEN 1 ELSE 0 END) OVER (
            PARTITION BY x.event_id
            ORDER BY x.on_day_of
        ) AS workdays,
    FROM candidates AS x
),

recurring AS (
    SELECT
        m.event_id,
        m.on_day_of,
    FROM measured AS m
    WHERE
        NOT LIST_CONTAINS(
            STRING_SPLIT(COALESCE(m.excluded, ''), ','), STRFTIME(m.on_day_of, '%Y%m%d')
        )
        AND CASE
            -- each of these weekdays; 1 is Sunday
            WHEN m.recurrence = 3
                THEN LIST_CONTAINS(STRING_SPLIT(m.days, ','), CAST(m.weekday + 1 AS VARCHAR))
            -- the nth weekday of a month; 5 is the last
            WHEN m.recurrence = 2
                THEN
                    m.weekday = m.on_day
                    AND m.months_after % m.on_every = 0
                    AND CASE
                        WHEN m.on_num = 5 THEN MONTH(m.on_day_of + 7) <> MONTH(m.on_day_of)
                        ELSE CEIL(DAY(m.on_day_of) / 7.0) = m.on_num
                    END
            WHEN m.unit = 0 THEN m.days_after % m.every = 0
            WHEN m.unit = 1 THEN m.days_after % (7 * m.every) = 0
            WHEN m.unit = 2 THEN m.is_same_day AND m.months_after % m.every = 0
            WHEN m.unit = 3 THEN m.is_same_day AND m.months_after % (12 * m.every) = 0
            WHEN m.unit = 4 THEN m.weekday BETWEEN 1 AND 5 AND (m.workdays - 1) % m.every = 0
            ELSE m.days_after = 0
        END
)

SELECT
    e.event_id || '-' || STRFTIME(r.on_day_of, '%Y%m%d') AS appointment_id,
    e.event_id,
    CAST(r.on_day_of AS VARCHAR) AS day_text,
    r.on_day_of AS visit_on,
FROM recurring AS r
INNER JOIN step.events AS e ON r.event_id = e.event_id
UNION ALL
SELECT
    e.event_id AS appointment_id,
    e.event_id,
    e.day_text,
    e.starts_on AS visit_on,
FROM step.events AS e
-- A day that cannot be read stays, so that the contract refuses the row.
WHERE e.recurrence = 0 OR e.starts_on IS NULL
