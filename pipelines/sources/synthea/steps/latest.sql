/* The newest encounter of each patient and of each case that has begun: where they are treated. */
WITH begun AS (
    SELECT
        e.encounter_id,
        e.patient_id,
        e.case_id,
        e.provider_id,
        e.facility_id,
        e.started_at,
    FROM step.encounters AS e
    WHERE e.started_at <= $as_of
)

SELECT
    b.patient_id,
    b.case_id,
    b.provider_id,
    b.facility_id,
    CAST(b.started_at AS DATE) AS latest_on,
    ROW_NUMBER() OVER (
        PARTITION BY b.patient_id
        ORDER BY b.started_at DESC, LPAD(b.encounter_id, 64, '0') DESC, b.encounter_id DESC
    ) AS place_of_patient,
    ROW_NUMBER() OVER (
        PARTITION BY b.case_id
        ORDER BY b.started_at DESC, LPAD(b.encounter_id, 64, '0') DESC, b.encounter_id DESC
    ) AS place_of_case,
    MIN(CAST(b.started_at AS DATE)) OVER (PARTITION BY b.case_id) AS first_on,
FROM begun AS b
