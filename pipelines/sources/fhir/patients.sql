/* Active unless the record says otherwise or the patient died. The facility is the managing
   organization, else that of the newest visit, else the first one that is no insurer. */
WITH newest AS (
    SELECT
        v.patient_id,
        ARG_MAX(v.facility_id, v.visit_on) AS facility_id,
    FROM step.visits AS v
    WHERE v.facility_id IS NOT NULL
    GROUP BY v.patient_id
),

first_facilities AS (
    SELECT ARG_MIN(f.facility_id, LPAD(f.facility_id, 64, '0') || f.facility_id) AS facility_id,
    FROM canonical.facilities AS f
)

SELECT
    JSON_EXTRACT_STRING(pt.json, '$.id') AS patient_id,
    COALESCE(JSON_EXTRACT_STRING(pt.json, '$.name[0].given[0]'), '-') AS first_name,
    COALESCE(
        JSON_EXTRACT_STRING(pt.json, '$.name[0].family'),
        JSON_EXTRACT_STRING(pt.json, '$.name[0].text'),
        '-'
    ) AS last_name,
    JSON_EXTRACT_STRING(pt.json, '$.birthDate') AS birth_date,
    CASE
        WHEN
            COALESCE(JSON_EXTRACT_STRING(pt.json, '$.active'), 'true') = 'false'
            OR JSON_EXTRACT_STRING(pt.json, '$.deceasedBoolean') = 'true'
            OR JSON_EXTRACT_STRING(pt.json, '$.deceasedDateTime') IS NOT NULL
            THEN 'Inactive'
        ELSE 'Active'
    END AS status,
    COALESCE(
        NULLIF(
            REGEXP_EXTRACT(
                JSON_EXTRACT_STRING(pt.json, '$.managingOrganization.reference'), '([^/]+)$', 1
            ),
            ''
        ),
        n.facility_id,
        f.facility_id
    ) AS facility_id,
    NULL AS phone,
    NULL AS email,
    NULL AS reminder_channel,
FROM source.patient AS pt
LEFT JOIN newest AS n ON JSON_EXTRACT_STRING(pt.json, '$.id') = n.patient_id
CROSS JOIN first_facilities AS f
WHERE pt.parent IS NULL
