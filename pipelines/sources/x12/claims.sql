-- The newest decision on each claim, unless the source itself knows of a later one.
SELECT
    d.claim_id,
    CASE
        -- 1 to 3: processed as primary, secondary, tertiary; 19 to 21 the same, and forwarded.
        WHEN d.code IN ('1', '2', '3', '19', '20', '21') THEN 'processed'
        WHEN d.code = '4' THEN 'denied'
        WHEN d.code = '22' THEN 'reversal'
        WHEN d.code = '23' THEN 'not ours, forwarded'
        WHEN d.code = '25' THEN 'predetermination'
        ELSE 'status ' || COALESCE(d.code, '-')
    END AS status,
    CASE
        WHEN d.code IN ('1', '2', '3', '19', '20', '21') THEN d.patient_responsibility
    END AS patient_responsibility,
    CASE
        WHEN d.code IN ('1', '2', '3', '19', '20', '21') THEN d.decided_on
    END AS processed_at,
FROM step.x12_decisions AS d
LEFT JOIN canonical.claims AS c ON d.claim_id = c.claim_id
WHERE
    d.place = 1
    AND COALESCE(TRY_CAST(LEFT(CAST(c.processed_at AS VARCHAR), 10) AS DATE) <= d.decided_day, TRUE)
