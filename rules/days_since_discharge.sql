/* rule
title        = "Days Since Discharge"
category     = "Administrative"
clears       = "manual"
clears_when  = "Staff have followed up with the patient and mark the task complete."
manual       = "allowed"
purpose      = "A follow-up set on the case for a number of days after discharge has come due."
resolve      = [
    "Open the patient's Demographics for the phone number and the preferred way of contact.",
    "Call or write: ask how the patient is doing and whether care is needed again.",
    "Schedule an evaluation if the patient wants to return.",
    "Mark the task complete.",
]
links        = ["demographics", "schedule"]
reads        = ["cases", "engagement_actions", "facilities"]
due_days     = 7    # within a week of the day that the practice chose
ends_at_discharge = false    # the follow-up begins with the discharge
subject_table = "engagement_actions"
source       = "requirements: Administrative Tasks"

[params]
*/
SELECT
    e.action_id AS subject_id,
    e.case_id,
    e.patient_id,
    e.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    c.discharged_on + e.days_after_discharge AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    e.kind || ' set for ' || CAST(e.days_after_discharge AS VARCHAR)
    || ' days after the discharge on ' || CAST(c.discharged_on AS VARCHAR) AS reason,
FROM staging.engagement_actions AS e
INNER JOIN staging.cases AS c ON e.case_id = c.case_id
INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
WHERE e.is_active AND c.discharged_on + e.days_after_discharge <= f.today
