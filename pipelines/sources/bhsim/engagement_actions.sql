-- The source knows no follow-ups: every case gets one, 30 days after discharge.
SELECT
    c.case_id AS action_id,
    c.case_id,
    'Days Since Discharge' AS kind,
    30 AS days_after_discharge,
    TRUE AS is_active,
FROM canonical.cases AS c
