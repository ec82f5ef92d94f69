/* rule
title        = "Referral Without Appointment"
category     = "Referral Management"
clears       = "auto"
clears_when  = "A visit of the case is booked."
manual       = "allowed"
purpose      = "A patient was referred to the practice and has no first visit booked."
resolve      = [
    "Open the patient's Demographics and call the patient.",
    "Book the evaluation on the Schedule.",
    "If the patient does not want to come, tell the referring provider and complete the task.",
]
links        = ["demographics", "schedule"]
reads        = ["appointments", "cases", "facilities"]
due_days     = 3    # a referral that waits longer goes elsewhere
ends_at_discharge = true    # a closed case wants no first visit
subject_table = "cases"
patients     = ["Referral"]    # for an Active patient the Unscheduled Patient rule asks
source       = "an example of docs/own-rules.md"

[params]
days_to_book = 2    # days that the front desk has for a first call
*/
SELECT
    c.case_id AS subject_id,
    c.case_id,
    c.patient_id,
    c.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    c.opened_on + $days_to_book AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'Referred on ' || CAST(c.opened_on AS VARCHAR)
    || COALESCE(' by ' || c.referring_provider, '') || ', no visit booked' AS reason,
FROM staging.cases AS c
INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
WHERE
    c.opened_on + $days_to_book <= f.today
    AND NOT EXISTS (
        SELECT 1,
        FROM staging.appointments AS a
        WHERE a.case_id = c.case_id AND a.status <> 'Cancelled'
    );

/* evidence */
SELECT
    l.subject_id,
    TRUE AS is_work,
    'appointments' AS record_table,
    a.appointment_id AS record_id,
    a.created_on AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'visit booked for ' || CAST(a.visit_on AS VARCHAR) || ', appointment ' || a.appointment_id
        AS says,
FROM leaving AS l
INNER JOIN staging.appointments AS a ON l.subject_id = a.case_id
WHERE a.status <> 'Cancelled'
