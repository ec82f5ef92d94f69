SELECT
    k.case_id,
    k.patient_id,
    k.facility_id,
    k.therapist_id,
    CAST(k.opened_at AS DATE) AS opened_on,
    CASE WHEN k.discharged_at <= c.now_at THEN CAST(k.discharged_at AS DATE) END AS discharged_on,
    NULLIF(k.visits_per_week_target, 0) AS visits_per_week_target,
    k.referring_provider,
    CASE
        WHEN k.referring_fax >= 0 THEN '555-0' || CAST(k.referring_fax AS VARCHAR)
    END AS referring_fax,
    k.order_signed_on,
FROM facts_cases AS k
INNER JOIN facility_list AS c ON k.facility_id = c.facility_id
WHERE k.opened_at <= c.now_at
ORDER BY k.case_id
