-- docStatus preliminary is a draft; a current document without one is completed.
WITH told AS (
    SELECT
        JSON_EXTRACT_STRING(dr.json, '$.id') AS document_id,
        dr.json,
        REGEXP_EXTRACT(JSON_EXTRACT_STRING(dr.json, '$.subject.reference'), '([^/]+)$', 1)
            AS patient_id,
        JSON_EXTRACT_STRING(dr.json, '$.docStatus') AS doc_status,
        COALESCE(
            JSON_EXTRACT_STRING(dr.json, '$.context.period.start'),
            JSON_EXTRACT_STRING(dr.json, '$.date')
        ) AS service_at,
        JSON_EXTRACT_STRING(dr.json, '$.date') AS dated_at,
        REGEXP_EXTRACT(
            JSON_EXTRACT_STRING(dr.json, '$.context.encounter[0].reference'), '([^/]+)$', 1
        ) AS encounter_id,
    FROM source.documentreference AS dr
    WHERE
        dr.parent IS NULL
        AND COALESCE(JSON_EXTRACT_STRING(dr.json, '$.status'), 'current') = 'current'
        AND COALESCE(JSON_EXTRACT_STRING(dr.json, '$.docStatus'), '') <> 'entered-in-error'
)

SELECT
    t.document_id,
    COALESCE(v.case_id, c.case_id, oc.case_id, t.patient_id) AS case_id,
    v.visit_id AS appointment_id,
    COALESCE(
        JSON_EXTRACT_STRING(t.json, '$.type.text'),
        JSON_EXTRACT_STRING(t.json, '$.type.coding[0].display'),
        'Document'
    ) AS kind,
    'false' AS has_plan_of_care,
    CASE COALESCE(t.doc_status, 'final')
        WHEN 'preliminary' THEN 'Draft'
        WHEN 'final' THEN 'Completed'
        WHEN 'amended' THEN 'Completed'
        ELSE t.doc_status -- the contract refuses other words
    END AS status,
    COALESCE(t.dated_at, t.service_at) AS started_at,
    LEFT(t.service_at, 10) AS date_of_service,
    NULLIF(
        REGEXP_EXTRACT(
            JSON_EXTRACT_STRING(t.json, '$.author[0].reference'), 'Practitioner/(.+)$', 1
        ),
        ''
    ) AS last_editor_id,
    CASE WHEN COALESCE(t.doc_status, 'final') <> 'preliminary' THEN t.dated_at END AS completed_at,
    NULL AS reviewer_id,
    NULL AS submitted_for_review_at,
    NULL AS signed_at,
FROM told AS t
LEFT JOIN step.visits AS v ON t.encounter_id = v.encounter_id
LEFT JOIN step.own_cases AS oc ON t.patient_id = oc.patient_id
LEFT JOIN step.cases AS c
    ON
        t.patient_id = c.patient_id
        AND TRY_CAST(LEFT(t.service_at, 10) AS DATE) BETWEEN c.opened_on AND COALESCE(
            c.closed_on, DATE '9999-12-31'
        )
QUALIFY ROW_NUMBER() OVER (PARTITION BY t.document_id ORDER BY c.opened_on DESC) = 1
