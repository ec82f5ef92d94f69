/* rule
title        = "Unscheduled Patient"
category     = "Administrative"
clears       = "auto"
clears_when  = "A visit is scheduled for the patient, in any case."
manual       = "allowed"
purpose      = "An active patient with an open case has no visit scheduled in the month ahead."
resolve      = [
    "Open the patient's schedule and see when the last visit was and how it ended.",
    "Call the patient and schedule the next visit.",
    "If care is finished, ask the therapist to discharge the case; if the patient has left, set the patient to Inactive.",
    "For the weekly targets of all patients use Schedule Analytics; this task is a backstop.",
]
links        = ["schedule", "demographics"]
reads        = ["appointments", "cases", "facilities"]
due_days     = 14    # half of a period: time for more than one call
ends_at_discharge = true    # nobody schedules a discharged case
period       = "month"
subject_table = "patients"
source       = "seed: Administrative Tasks table; domain.md section 2"

[params]
horizon_days = 30    # days ahead that count as the upcoming month; the run withholds the rule when the extract reaches less far
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
        ROW_NUMBER() OVER (PARTITION BY c.patient_id ORDER BY c.opened_on DESC, c.case_id DESC) AS recency,
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
    'No visit scheduled through ' || CAST(o.today + $horizon_days AS VARCHAR) || '; case open since ' || CAST(o.opened_on AS VARCHAR) AS reason,
FROM open_cases AS o
LEFT JOIN scheduled AS s ON o.patient_id = s.patient_id
WHERE o.recency = 1 AND s.patient_id IS NULL
