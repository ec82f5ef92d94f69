-- The held questions before the first run: none, with the columns that every run keeps.
SELECT
    CAST(NULL AS VARCHAR) AS rule_id,
    CAST(NULL AS VARCHAR) AS subject_id,
    CAST(NULL AS VARCHAR) AS task_id,
    CAST(NULL AS VARCHAR) AS patient_id,
    CAST(NULL AS VARCHAR) AS facility_id,
    CAST(NULL AS BOOLEAN) AS is_opening,
    CAST(NULL AS INTEGER) AS runs,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS held_from,
    CAST(NULL AS VARCHAR) AS guard,
    CAST(NULL AS BOOLEAN) AS is_unseen,
WHERE FALSE
