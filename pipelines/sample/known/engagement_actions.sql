SELECT
    e.action_id,
    e.case_id,
    'Days Since Discharge' AS kind,
    e.days_after_discharge,
    e.is_active,
FROM facts_engagement_actions AS e
INNER JOIN facility_list AS c ON e.facility_id = c.facility_id
WHERE e.set_at <= c.now_at
ORDER BY e.action_id
