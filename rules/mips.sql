/* rule
title        = "MIPS"
category     = "Clinical"
clears       = "manual"
clears_when  = "Staff dismiss the task; a second survey does not clear it."
manual       = "allowed"
purpose      = "A patient with an open case has answered one MIPS Patient Survey and no second."
resolve      = [
    "Find the patient's next visit.",
    "Give the patient the second MIPS Patient Survey Form at that visit, or send it.",
    "Dismiss the task; it returns next week if the survey is still missing.",
]
links        = ["documents", "schedule"]
reads        = ["cases", "facilities", "surveys"]
due_days     = 7    # the task returns every week
ends_at_discharge = true    # a second survey can no longer be given
period       = "week"
subject_table = "cases"
source       = "requirements: Clinical Tasks; notes on the domain"

[params]
min_days_between = 0    # days that must lie between the two surveys
*/
WITH surveyed AS (
    SELECT
        s.case_id,
        MIN(s.completed_on) AS first_on,
    FROM staging.surveys AS s
    WHERE s.kind LIKE 'MIPS%'
    GROUP BY s.case_id
    HAVING COUNT(*) = 1
)

SELECT
    c.case_id AS subject_id,
    c.case_id,
    c.patient_id,
    c.facility_id,
    c.therapist_id AS staff_id,
    f.week_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'First MIPS Patient Survey on ' || CAST(s.first_on AS VARCHAR) || ', no second one' AS reason,
FROM surveyed AS s
INNER JOIN staging.cases AS c ON s.case_id = c.case_id
INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
WHERE NOT c.is_discharged AND c.opened_on <= f.today AND s.first_on + $min_days_between <= f.today
