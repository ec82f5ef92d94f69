-- Ages of the matching tasks, and ages without deferred time, in whole days at the facility.
SELECT
    t.split,
    COUNT(*) AS tasks,
    COUNT(*) FILTER (WHERE t.status = 'deferred') AS deferred,
    QUANTILE_CONT(t.age_days, 0.5) AS gross_median,
    QUANTILE_CONT(t.age_days, 0.9) AS gross_p90,
    QUANTILE_CONT(t.active_age_days, 0.5) AS active_median,
    QUANTILE_CONT(t.active_age_days, 0.9) AS active_p90,
    MIN(t.since) AS oldest,
    COUNT(*) FILTER (WHERE t.since_is_inferred) AS inferred,
FROM matching AS t
GROUP BY t.split
