SELECT
    s.survey_id,
    s.case_id,
    s.kind,
    s.completed_at,
FROM facts_surveys AS s
INNER JOIN facility_list AS c ON s.facility_id = c.facility_id
WHERE s.completed_at <= c.now_at
ORDER BY s.survey_id
