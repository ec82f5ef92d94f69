-- A complete assessment, whatever its instrument, counts as one survey of the case it belongs to.
SELECT
    a.assessment_id AS survey_id,
    d.case_id,
    'MIPS Patient Survey' AS kind,
    TRY_CAST(a.assessed_at AS TIMESTAMP) AS completed_at,
FROM source.assessments AS a
LEFT JOIN step.case_days AS d
    ON
        a.individual_id = d.individual_id
        AND a.program_id = d.program_id
        AND CAST(TRY_CAST(a.assessed_at AS TIMESTAMP) AS DATE) = d.on_day
WHERE
    a.status = 'COMPLETE'
    AND TRY_CAST(a.assessed_at AS TIMESTAMP) <= $as_of
    AND COALESCE(d.is_begun, TRUE)
