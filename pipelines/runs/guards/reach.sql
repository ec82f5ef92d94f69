-- The day of the last appointment now and in the run before, and how many that one had.
SELECT
    (SELECT CAST(MAX(n.starts_at) AS DATE), FROM staging.appointments AS n) AS now,
    CAST(MAX(e.starts_at) AS DATE) AS before,
    COUNT(*) AS total,
FROM previous.staging.appointments AS e
