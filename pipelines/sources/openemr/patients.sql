/* Active until deceased: OpenEMR states nothing else. The facility is that of the newest encounter,
   else of the newest appointment, else the first one. */
WITH seen AS (
    SELECT
        e.patient_id,
        e.facility_id,
        e.visit_on,
        1 AS is_encounter,
    FROM step.encounters AS e
    WHERE e.facility_id IS NOT NULL
    UNION ALL
    SELECT
        v.patient_id,
        v.facility_id,
        v.starts_on AS visit_on,
        0 AS is_encounter,
    FROM step.events AS v
    WHERE v.facility_id IS NOT NULL
),

places AS (
    SELECT
        s.patient_id,
        s.facility_id,
        ROW_NUMBER() OVER (
            PARTITION BY s.patient_id
            ORDER BY
                s.is_encounter DESC,
                s.visit_on DESC NULLS LAST,
                LPAD(s.facility_id, 64, '0') ASC,
                s.facility_id ASC
        ) AS place,
    FROM seen AS s
),

first_facilities AS (
    SELECT ARG_MIN(fc.id, LPAD(fc.id, 64, '0')) AS facility_id,
    FROM source.facility AS fc
)

SELECT
    pd.pid AS patient_id,
    COALESCE(pd.fname, '-') AS first_name,
    COALESCE(pd.lname, '-') AS last_name,
    pd.dob AS birth_date,
    CASE
        WHEN COALESCE(pd.deceased_date, '0000') LIKE '0000%' THEN 'Active'
        ELSE 'Inactive'
    END AS status,
    COALESCE(p.facility_id, f.facility_id) AS facility_id,
    pd.phone_cell AS phone,
    pd.email,
    NULL AS reminder_channel,
FROM source.patient_data AS pd
LEFT JOIN places AS p ON pd.pid = p.patient_id AND p.place = 1
CROSS JOIN first_facilities AS f
