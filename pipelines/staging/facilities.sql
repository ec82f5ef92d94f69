-- The only staged table that takes the time; all others read a facility's today from here.
WITH clocks AS (
    SELECT
        f.facility_id,
        COALESCE(f.name, f.facility_id) AS name,
        f.time_zone,
        CAST($as_of AS TIMESTAMPTZ) AT TIME ZONE f.time_zone AS now_at,
    FROM extract.facilities AS f
)

SELECT
    c.facility_id,
    c.name,
    c.time_zone,
    c.now_at,
    CAST(c.now_at AS DATE) AS today,
    CAST(DATE_TRUNC('week', c.now_at) AS DATE) AS week_on,
    CAST(DATE_TRUNC('month', c.now_at) AS DATE) AS month_on,
FROM clocks AS c
