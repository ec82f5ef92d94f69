-- Each candidate with its payer: the primary policy in force on the task's date, if there is one.
-- A policy of the case goes before one of the patient, then the newest.
-- Where the data do not say since when, it is the day of the run that first showed it.
WITH dated AS (
    SELECT
        c.rule_id,
        c.subject_id,
        c.case_id,
        c.patient_id,
        c.facility_id,
        c.staff_id,
        COALESCE(c.since, f.today) AS since,
        c.since IS NULL AS since_is_inferred,
        c.amount,
        c.reason,
        c.manual,
        c.episode,
    FROM found AS c
    LEFT JOIN staging.facilities AS f ON c.facility_id = f.facility_id
),

choices AS (
    SELECT
        c.rule_id,
        c.subject_id,
        p.payer_id,
        ROW_NUMBER() OVER (
            PARTITION BY c.rule_id, c.subject_id
            ORDER BY
                CASE WHEN p.case_id IS NULL THEN 1 ELSE 0 END ASC,
                COALESCE(p.starts_on, DATE '1900-01-01') DESC,
                LPAD(p.policy_id, 64, '0') ASC,
                p.policy_id ASC
        ) AS choice,
    FROM dated AS c
    INNER JOIN staging.policies AS p
        ON
            c.patient_id = p.patient_id
            AND (p.case_id IS NULL OR c.case_id = p.case_id)
            AND p.rank = 1
            AND COALESCE(p.starts_on, c.since) <= c.since
            AND COALESCE(p.ends_on, c.since) >= c.since
)

SELECT
    c.rule_id,
    c.subject_id,
    c.case_id,
    c.patient_id,
    c.facility_id,
    c.staff_id,
    c.since,
    c.since_is_inferred,
    c.amount,
    c.reason,
    c.manual,
    c.episode,
    p.payer_id,
FROM dated AS c
LEFT JOIN choices AS p ON c.rule_id = p.rule_id AND c.subject_id = p.subject_id AND p.choice = 1
