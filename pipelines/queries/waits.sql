-- How old the tasks that match are, and how old without the time they were deferred: whole days of the clinic.
SELECT
    CASE $split_by
        WHEN 'type' THEN t.rule_id
        WHEN 'payer' THEN t.payer_key
        WHEN 'staff' THEN t.staff_key
        WHEN 'category' THEN t.category
        WHEN 'facility' THEN t.facility_id
        ELSE 'all'
    END AS split,
    COUNT(*) AS tasks,
    COUNT(*) FILTER (WHERE t.status = 'deferred') AS deferred,
    QUANTILE_CONT(t.age_days, 0.5) AS gross_median,
    QUANTILE_CONT(t.age_days, 0.9) AS gross_p90,
    QUANTILE_CONT(t.active_age_days, 0.5) AS active_median,
    QUANTILE_CONT(t.active_age_days, 0.9) AS active_p90,
    MIN(t.since) AS oldest,
FROM matching AS t
GROUP BY split
