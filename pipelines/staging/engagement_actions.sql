SELECT
    e.action_id,
    e.case_id,
    c.patient_id,
    c.facility_id,
    e.kind,
    e.days_after_discharge,
    e.is_active,
FROM extract.engagement_actions AS e
LEFT JOIN staging.cases AS c ON e.case_id = c.case_id
