/* Encounters as both generations of exports have them, with their case. Read as JSON: older exports
   have neither ORGANIZATION nor PAYER, nor costs by payer, and call the key ID. */
WITH told AS (
    SELECT
        TO_JSON(e) AS row_json,
        e.patient AS patient_id,
        e.start AS start_text,
        TRY_CAST(e.start AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS started_at,
        e.stop AS stop_text,
        TRY_CAST(e.stop AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS stopped_at,
    FROM source.encounters AS e
),

named AS (
    SELECT
        COALESCE(
            JSON_EXTRACT_STRING(t.row_json, '$.Id'), JSON_EXTRACT_STRING(t.row_json, '$.ID')
        ) AS encounter_id,
        t.patient_id,
        t.start_text,
        t.started_at,
        t.stop_text,
        t.stopped_at,
        JSON_EXTRACT_STRING(t.row_json, '$.ORGANIZATION') AS organization_id,
        JSON_EXTRACT_STRING(t.row_json, '$.PROVIDER') AS provider_id,
        JSON_EXTRACT_STRING(t.row_json, '$.REASONCODE') AS reason_code,
        TRY_CAST(JSON_EXTRACT_STRING(t.row_json, '$.TOTAL_CLAIM_COST') AS DECIMAL(12, 2)) AS cost,
        TRY_CAST(JSON_EXTRACT_STRING(t.row_json, '$.PAYER_COVERAGE') AS DECIMAL(12, 2)) AS covered,
    FROM told AS t
),

first_organizations AS (
    SELECT MIN(o.id) AS organization_id,
    FROM source.organizations AS o
),

placed AS (
    SELECT
        n.encounter_id,
        n.patient_id,
        n.start_text,
        n.started_at,
        n.stop_text,
        n.stopped_at,
        n.reason_code,
        n.cost,
        n.covered,
        pr.id AS provider_id,
        -- PROVIDER was the organization before providers had a column of their own.
        COALESCE(n.organization_id, pr.organization, o.id, f.organization_id) AS facility_id,
    FROM named AS n
    LEFT JOIN source.providers AS pr ON n.provider_id = pr.id
    LEFT JOIN source.organizations AS o ON n.provider_id = o.id
    CROSS JOIN first_organizations AS f
),

plans AS (
    SELECT
        c.id AS careplan_id,
        c.patient AS patient_id,
        c.encounter AS encounter_id,
        c.reasoncode AS reason_code,
        TRY_CAST(LEFT(c.start, 10) AS DATE) AS started_on,
        COALESCE(TRY_CAST(LEFT(c.stop, 10) AS DATE), DATE '9999-12-31') AS stopped_on,
    FROM source.careplans AS c
),

ranked AS (
    SELECT
        p.encounter_id,
        k.careplan_id,
        ROW_NUMBER() OVER (
            PARTITION BY p.encounter_id
            ORDER BY
                k.encounter_id IS NOT DISTINCT FROM p.encounter_id DESC,
                COALESCE(k.reason_code = p.reason_code, FALSE) DESC,
                k.started_on DESC,
                LPAD(k.careplan_id, 64, '0') DESC,
                k.careplan_id DESC
        ) AS place,
    FROM placed AS p
    INNER JOIN plans AS k
        ON
            p.patient_id = k.patient_id
            AND CAST(p.started_at AS DATE) BETWEEN k.started_on AND k.stopped_on
)

SELECT
    p.encounter_id,
    p.patient_id,
    -- Care outside of any plan is a case of its own, named as the patient.
    COALESCE(r.careplan_id, p.patient_id) AS case_id,
    r.careplan_id IS NOT NULL AS has_plan,
    COALESCE(CAST(p.started_at AS VARCHAR), p.start_text) AS starts_at,
    p.started_at,
    CASE WHEN p.stopped_at IS NULL THEN p.stop_text END AS unreadable_stop,
    p.stopped_at,
    p.provider_id,
    p.facility_id,
    CASE WHEN p.cost >= p.covered THEN p.cost - p.covered END AS left_to_patient,
FROM placed AS p
LEFT JOIN ranked AS r ON p.encounter_id = r.encounter_id AND r.place = 1
