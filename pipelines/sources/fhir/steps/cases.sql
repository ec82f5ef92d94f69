/* Episodes of care; care plans only where a delivery has no episodes. */
WITH told AS (
    SELECT
        r.id AS case_id,
        r.kind,
        r.json,
        REGEXP_EXTRACT(
            COALESCE(
                JSON_EXTRACT_STRING(r.json, '$.patient.reference'),
                JSON_EXTRACT_STRING(r.json, '$.subject.reference')
            ),
            '([^/|:=]+)$', 1
        ) AS patient_id,
        COALESCE(
            JSON_EXTRACT_STRING(r.json, '$.period.start'),
            JSON_EXTRACT_STRING(r.json, '$.created')
        ) AS opened,
        JSON_EXTRACT_STRING(r.json, '$.period.end') AS closed,
        JSON_EXTRACT_STRING(r.json, '$.status') AS status,
        MAX(CASE WHEN r.kind = 'episodeofcare' THEN 1 ELSE 0 END) OVER () AS has_episodes,
    FROM source.fhir_resources AS r
    WHERE r.kind IN ('episodeofcare', 'careplan')
)

SELECT
    t.case_id,
    t.patient_id,
    NULLIF(
        REGEXP_EXTRACT(
            JSON_EXTRACT_STRING(t.json, '$.managingOrganization.reference'), '([^/|:=]+)$', 1
        ),
        ''
    ) AS facility_id,
    NULLIF(
        REGEXP_EXTRACT(
            COALESCE(
                JSON_EXTRACT_STRING(t.json, '$.careManager.reference'),
                JSON_EXTRACT_STRING(t.json, '$.author.reference')
            ),
            'Practitioner/(.+)$', 1
        ),
        ''
    ) AS therapist_id,
    t.opened,
    t.closed,
    TRY_CAST(LEFT(t.opened, 10) AS DATE) AS opened_on,
    TRY_CAST(LEFT(t.closed, 10) AS DATE) AS closed_on,
FROM told AS t
WHERE
    (t.kind = 'episodeofcare' OR t.has_episodes = 0)
    AND COALESCE(t.status, '') NOT IN ('entered-in-error', 'draft', 'planned', 'revoked')
