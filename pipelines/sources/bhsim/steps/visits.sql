/* Every visit with its case and the status it had at $as_of, without visits of enrollments that had
   not begun. A visit without any enrollment has no case: the contract refuses and counts it. */
WITH visits AS (
    SELECT
        v.visit_id,
        v.individual_id,
        v.program_id,
        v.employee_id,
        v.location_id,
        v.visit_status,
        TRY_CAST(v.scheduled_start AS TIMESTAMP) AS starts_at,
        TRY_CAST(v.actual_start AS TIMESTAMP) AS began_at,
        TRY_CAST(v.actual_end AS TIMESTAMP) AS ended_at,
        TRY_CAST(v.documented_at AS TIMESTAMP) AS documented_at,
        TRY_CAST(v.documented_at AS TIMESTAMP) IS NOT NULL OR v.documented_at IS NULL
            AS has_readable_note,
        (TRY_CAST(v.actual_start AS TIMESTAMP) IS NOT NULL OR v.actual_start IS NULL)
        AND (TRY_CAST(v.actual_end AS TIMESTAMP) IS NOT NULL OR v.actual_end IS NULL)
            AS has_readable_times,
    FROM source.visits AS v
)

SELECT
    s.visit_id,
    s.individual_id,
    s.employee_id,
    s.location_id,
    d.case_id,
    s.starts_at,
    CAST(s.starts_at AS DATE) AS visit_on,
    s.began_at,
    s.ended_at,
    s.documented_at,
    s.has_readable_note,
    -- Without a status, the contract refuses the visit.
    CASE
        WHEN NOT s.has_readable_times THEN NULL
        WHEN s.visit_status = 'COMPLETED' AND s.ended_at <= $as_of THEN 'Completed'
        WHEN s.visit_status = 'COMPLETED' AND s.began_at <= $as_of THEN 'In Progress'
        WHEN s.visit_status = 'NO_SHOW' AND s.starts_at <= $as_of THEN 'No Show'
        -- A cancellation of a later visit is known only once the export was made.
        WHEN
            s.visit_status IN ('CANCELED', 'RESCHEDULED')
            AND (s.starts_at <= $as_of OR x.reference_on <= CAST($as_of AS DATE))
            THEN 'Cancelled'
        ELSE 'Scheduled'
    END AS status,
FROM visits AS s
LEFT JOIN step.case_days AS d
    ON
        s.individual_id = d.individual_id
        AND s.program_id = d.program_id
        AND CAST(s.starts_at AS DATE) = d.on_day
LEFT JOIN step.export AS x ON TRUE
WHERE COALESCE(d.is_begun, TRUE)
