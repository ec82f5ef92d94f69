/* rule
title        = "Unscheduled Patient"
category     = "Administrative"
clears       = "auto"
clears_when  = "A visit is scheduled for the patient, in any case."
manual       = "allowed"
purpose      = "An active patient with an open case has no visit scheduled in the month ahead."
resolve      = [
    "Open the patient's schedule and check the last visit.",
    "Call the patient and schedule the next visit.",
    "If care has ended, ask the therapist for a discharge; if the patient left, set Inactive.",
    "Use Schedule Analytics for the weekly targets of all patients.",
]
links        = ["schedule", "demographics"]
reads        = ["appointments", "cases", "facilities"]
due_days     = 14    # half a month: time for more than one call
ends_at_discharge = true    # a discharged case needs no visits
period       = "month"
subject_table = "patients"
source       = "requirements: Administrative Tasks; notes on the domain"

[params]
horizon_days = 30    # days of the month ahead; without an extract that far the rule is withheld
*/
WITH open_cases AS (
    SELECT
        c.patient_id,
        c.case_id,
        c.facility_id,
        c.opened_on,
        f.today,
        f.month_on,
        MIN(c.opened_on) OVER (PARTITION BY c.patient_id) AS first_opened_on,
        ROW_NUMBER() OVER (
            PARTITION BY c.patient_id
            ORDER BY c.opened_on DESC, LPAD(c.case_id, 64, '0') DESC, c.case_id DESC
        ) AS recency,
    FROM staging.cases AS c
    INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
    WHERE NOT c.is_discharged AND c.opened_on <= f.today
),

scheduled AS (
    SELECT DISTINCT a.patient_id,
    FROM staging.appointments AS a
    INNER JOIN staging.facilities AS f ON a.facility_id = f.facility_id
    WHERE a.is_live AND a.visit_on >= f.today AND a.visit_on <= f.today + $horizon_days
)

SELECT
    o.patient_id AS subject_id,
    o.case_id,
    o.patient_id,
    o.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    GREATEST(o.month_on, o.first_opened_on) AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'No visit scheduled through ' || CAST(o.today + $horizon_days AS VARCHAR)
    || '; case open since ' || CAST(o.opened_on AS VARCHAR) AS reason,
FROM open_cases AS o
LEFT JOIN scheduled AS s ON o.patient_id = s.patient_id
WHERE o.recency = 1 AND s.patient_id IS NULL
