/* rule
title        = "No Reminder Channel"
category     = "Patient Engagement"
clears       = "manual"
clears_when  = "Staff have asked the patient and mark the task complete."
manual       = "allowed"
purpose      = "Nobody has asked the patient how to be reminded of visits."
resolve      = [
    "Ask the patient at the next visit: text message, e-mail, phone, or no reminder.",
    "Enter the answer in the patient's Demographics.",
    "Mark the task complete.",
]
links        = ["demographics", "schedule"]
reads        = ["cases", "facilities", "patients"]
due_days     = 14    # most patients come once a week
ends_at_discharge = true    # without visits there is nothing to remind of
subject_table = "patients"
source       = "an example of docs/own-rules.md"

[params]
days_open = 7    # days after the case was opened in which the desk asks by itself
*/
WITH open_cases AS (
    SELECT
        c.case_id,
        c.patient_id,
        c.facility_id,
        c.opened_on,
        ROW_NUMBER() OVER (
            PARTITION BY c.patient_id
            ORDER BY c.opened_on, LPAD(c.case_id, 64, '0'), c.case_id
        ) AS position,
    FROM staging.cases AS c
    INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
    WHERE NOT c.is_discharged AND c.opened_on + $days_open <= f.today
)

SELECT
    p.patient_id AS subject_id,
    o.case_id,
    p.patient_id,
    o.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    o.opened_on + $days_open AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'No way of reminding the patient of visits is entered' AS reason,
FROM staging.patients AS p
INNER JOIN open_cases AS o ON p.patient_id = o.patient_id
WHERE p.reminder_channel IS NULL AND o.position = 1
