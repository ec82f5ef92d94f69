/* The case for each day of a person in a programme: the enrollment that covers the day, else the
   nearest one that has begun. is_begun is false where that enrollment starts after $as_of. */
WITH days AS (
    SELECT
        v.individual_id,
        v.program_id,
        CAST(TRY_CAST(v.scheduled_start AS TIMESTAMP) AS DATE) AS on_day,
    FROM source.visits AS v
    UNION
    SELECT
        a.individual_id,
        a.program_id,
        CAST(TRY_CAST(a.assessed_at AS TIMESTAMP) AS DATE) AS on_day,
    FROM source.assessments AS a
),

enrollments AS (
    SELECT
        ip.enrollment_id,
        ip.individual_id,
        ip.program_id,
        TRY_CAST(ip.start_date AS DATE) AS started_on,
        TRY_CAST(ip.end_date AS DATE) AS ended_on,
        TRY_CAST(ip.start_date AS DATE) <= CAST($as_of AS DATE) AS is_begun,
    FROM source.individual_programs AS ip
),

distances AS (
    SELECT
        d.individual_id,
        d.program_id,
        d.on_day,
        e.enrollment_id,
        e.started_on,
        e.is_begun,
        CASE
            WHEN d.on_day < e.started_on THEN DATE_DIFF('day', d.on_day, e.started_on)
            WHEN d.on_day > e.ended_on THEN DATE_DIFF('day', e.ended_on, d.on_day)
            ELSE 0
        END AS days_away,
    FROM days AS d
    INNER JOIN enrollments AS e ON d.individual_id = e.individual_id AND d.program_id = e.program_id
),

ranked AS (
    SELECT
        x.individual_id,
        x.program_id,
        x.on_day,
        x.enrollment_id,
        x.is_begun,
        ROW_NUMBER() OVER (
            PARTITION BY x.individual_id, x.program_id, x.on_day
            ORDER BY
                CASE WHEN x.days_away = 0 THEN 0 WHEN x.is_begun THEN 1 ELSE 2 END ASC,
                x.days_away ASC,
                x.started_on DESC,
                LPAD(x.enrollment_id, 64, '0') ASC,
                x.enrollment_id ASC
        ) AS place,
    FROM distances AS x
)

SELECT
    r.individual_id,
    r.program_id,
    r.on_day,
    r.enrollment_id AS case_id,
    r.is_begun,
FROM ranked AS r
WHERE r.place = 1
