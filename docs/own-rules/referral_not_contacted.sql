/* rule
# A contact is a visit booked for the patient, in any case, or an intake form that the patient
# submitted; a visit that was not cancelled is one on its own day, too. The data do not know calls,
# letters and messages, nor on which day a visit was cancelled.
title        = "Referral Not Contacted"
category     = "Referral Management"
clears       = "auto"
clears_when  = "A visit is booked for the patient, or the patient submits an intake form."
manual       = "allowed"
purpose      = "A referred patient has no visit ahead, and the data show no contact for days."
resolve      = [
    "Open the patient's Demographics and call the patient.",
    "Book the evaluation on the Schedule, or have the patient fill in the intake forms.",
    "If you only spoke with the patient, complete the task: calls are not in the data.",
]
links        = ["demographics", "schedule"]
reads        = ["appointments", "cases", "facilities", "intake_submissions"]
due_days     = 2    # the task opens only after days of silence
ends_at_discharge = true    # a closed case needs no contact
subject_table = "cases"
looks_at     = "patient"
patients     = ["Referral"]    # for an Active patient the Unscheduled Patient rule asks
source       = "an example of docs/own-rules.md"

[params]
days_without_contact = 3    # days after the referral or the last contact
*/
WITH referrals AS (
    SELECT
        c.case_id,
        c.patient_id,
        c.facility_id,
        c.opened_on,
        c.referring_provider,
        f.today,
    FROM staging.cases AS c
    INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
    WHERE NOT c.is_discharged
),

contacts AS (
    SELECT
        r.case_id,
        CASE
            WHEN a.status <> 'Cancelled' AND a.visit_on <= r.today
                THEN GREATEST(a.visit_on, a.created_on)
            ELSE a.created_on
        END AS contact_on,
        a.is_live AND a.visit_on >= r.today AS is_ahead,
        a.status = 'Cancelled' AND a.created_on >= r.opened_on AS is_cancelled,
    FROM referrals AS r
    INNER JOIN staging.appointments AS a ON r.patient_id = a.patient_id
    UNION ALL
    SELECT
        r.case_id,
        i.submitted_on AS contact_on,
        FALSE AS is_ahead,
        FALSE AS is_cancelled,
    FROM referrals AS r
    INNER JOIN staging.intake_submissions AS i ON r.patient_id = i.patient_id
),

last_contacts AS (
    SELECT
        c.case_id,
        MAX(c.contact_on) AS contact_on,
        BOOL_OR(c.is_ahead) AS is_booked,
        BOOL_OR(c.is_cancelled) AS was_cancelled,
    FROM contacts AS c
    GROUP BY c.case_id
)

SELECT
    r.case_id AS subject_id,
    r.case_id,
    r.patient_id,
    r.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    -- Without the day of the cancellation, the first run that shows it is the day.
    CASE
        WHEN NOT COALESCE(l.was_cancelled, FALSE)
            THEN GREATEST(r.opened_on, l.contact_on) + $days_without_contact
    END AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'Referred on ' || CAST(r.opened_on AS VARCHAR)
    || COALESCE(' by ' || r.referring_provider, '')
    || CASE
        WHEN l.contact_on >= r.opened_on
            THEN ', last contact on ' || CAST(l.contact_on AS VARCHAR)
        ELSE ', no contact yet'
    END AS reason,
FROM referrals AS r
LEFT JOIN last_contacts AS l ON r.case_id = l.case_id
WHERE
    NOT COALESCE(l.is_booked, FALSE)
    AND GREATEST(r.opened_on, l.contact_on) + $days_without_contact <= r.today;

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
INNER JOIN staging.appointments AS a ON l.patient_id = a.patient_id
LEFT JOIN before.appointments AS b ON a.appointment_id = b.appointment_id
WHERE
    b.appointment_id IS NULL
    OR (a.status <> 'Cancelled' AND (b.status = 'Cancelled' OR a.visit_on > b.visit_on))
UNION ALL
SELECT
    l.subject_id,
    TRUE AS is_work,
    'intake_submissions' AS record_table,
    i.submission_id AS record_id,
    i.submitted_on AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    i.form || ' submitted on ' || CAST(i.submitted_on AS VARCHAR) AS says,
FROM leaving AS l
INNER JOIN staging.intake_submissions AS i ON l.patient_id = i.patient_id
WHERE i.submitted_on >= l.since
