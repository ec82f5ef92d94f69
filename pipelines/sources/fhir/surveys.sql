-- A completed answer to a questionnaire, of the episode that covers its day.
SELECT
    JSON_EXTRACT_STRING(qr.json, '$.id') AS survey_id,
    COALESCE(
        c.case_id,
        oc.case_id,
        REGEXP_EXTRACT(JSON_EXTRACT_STRING(qr.json, '$.subject.reference'), '([^/]+)$', 1)
    ) AS case_id,
    COALESCE(
        NULLIF(
            REGEXP_EXTRACT(
                JSON_EXTRACT_STRING(qr.json, '$.questionnaire'), '([^/|]+)[|]?[^/]*$', 1
            ),
            ''
        ),
        'Questionnaire'
    ) AS kind,
    JSON_EXTRACT_STRING(qr.json, '$.authored') AS completed_at,
FROM source.questionnaireresponse AS qr
LEFT JOIN step.cases AS c
    ON
        REGEXP_EXTRACT(JSON_EXTRACT_STRING(qr.json, '$.subject.reference'), '([^/]+)$', 1)
        = c.patient_id
        AND TRY_CAST(LEFT(JSON_EXTRACT_STRING(qr.json, '$.authored'), 10) AS DATE)
        BETWEEN c.opened_on AND COALESCE(c.closed_on, DATE '9999-12-31')
LEFT JOIN step.own_cases AS oc
    ON
        REGEXP_EXTRACT(JSON_EXTRACT_STRING(qr.json, '$.subject.reference'), '([^/]+)$', 1)
        = oc.patient_id
WHERE JSON_EXTRACT_STRING(qr.json, '$.status') IN ('completed', 'amended')
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY JSON_EXTRACT_STRING(qr.json, '$.id') ORDER BY c.opened_on DESC
) = 1
