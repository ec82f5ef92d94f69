-- One patient of the snapshot; today is the day of the home facility.
-- The payer is the primary policy in force today, as for the payer of a task: one of an open case,
-- then one of the patient, then one of a discharged case; of several the newest.
WITH primary_policies AS (
    SELECT
        p.patient_id,
        p.payer_id,
        ROW_NUMBER() OVER (
            ORDER BY
                CASE WHEN p.case_id IS NULL THEN 1 WHEN c.is_discharged THEN 2 ELSE 0 END ASC,
                COALESCE(p.starts_on, DATE '1900-01-01') DESC,
                LPAD(p.policy_id, 64, '0') ASC,
                p.policy_id ASC
        ) AS choice,
    FROM staging.policies AS p
    LEFT JOIN staging.cases AS c ON p.case_id = c.case_id
    LEFT JOIN staging.facilities AS f ON p.facility_id = f.facility_id
    WHERE
        p.patient_id = $patient_id
        AND p.rank = 1
        AND (p.starts_on IS NULL OR p.starts_on <= f.today)
        AND (p.ends_on IS NULL OR p.ends_on >= f.today)
)

SELECT
    t.patient_id,
    t.last_name || ', ' || t.first_name AS name,
    t.born_on,
    CASE
        WHEN t.born_on <= f.today
            THEN CAST(
                EXTRACT(YEAR FROM f.today) - EXTRACT(YEAR FROM t.born_on)
                - CASE
                    WHEN
                        EXTRACT(MONTH FROM f.today) * 100 + EXTRACT(DAY FROM f.today)
                        < EXTRACT(MONTH FROM t.born_on) * 100 + EXTRACT(DAY FROM t.born_on)
                        THEN 1
                    ELSE 0
                END AS INTEGER
            )
    END AS age_years,
    t.status,
    t.facility_id,
    COALESCE(f.name, t.facility_id) AS facility,
    f.today,
    t.phone,
    t.email,
    t.reminder_channel,
    p.payer_id,
    COALESCE(y.name, p.payer_id, 'Self-pay') AS payer,
FROM staging.patients AS t
LEFT JOIN staging.facilities AS f ON t.facility_id = f.facility_id
LEFT JOIN primary_policies AS p ON t.patient_id = p.patient_id AND p.choice = 1
LEFT JOIN staging.payers AS y ON p.payer_id = y.payer_id
WHERE t.patient_id = $patient_id
