/* rule
title        = "MIPS"
category     = "Clinical"
clears       = "manual"
clears_when  = "Staff dismiss the task; a second survey does not clear it."
manual       = "allowed"
purpose      = "A patient with an open case has answered a MIPS Patient Survey, but not the second."
resolve      = [
    "Ask the therapist when the discharge is planned: the outcome survey belongs at or near it.",
    "Give the patient the second MIPS Patient Survey Form at that visit, or send it.",
    "Dismiss the task; it returns next week if the survey is still missing.",
]
links        = ["documents", "schedule"]
reads        = ["cases", "facilities", "surveys"]
looks_back   = ["surveys"]    # the first survey of the case
due_days     = 7    # the task returns every week
ends_at_discharge = true    # a second survey can no longer be given
period       = "week"
subject_table = "cases"
source       = "requirements: Clinical Tasks; notes on the domain"

[params]
min_days_between = 0    # days from the first survey until the second is asked for and counts
*/
WITH surveys AS (
    SELECT
        s.case_id,
        s.completed_on,
        MIN(s.completed_on) OVER (PARTITION BY s.case_id) AS first_on,
        ROW_NUMBER() OVER (
            PARTITION BY s.case_id
            ORDER BY s.completed_at, LPAD(s.survey_id, 64, '0'), s.survey_id
        ) AS position,
    FROM staging.surveys AS s
    WHERE s.kind LIKE 'MIPS%'
),

-- A second survey earlier than the days between them shows no outcome.
waiting AS (
    SELECT
        s.case_id,
        s.first_on,
        s.first_on + $min_days_between AS due_on,
    FROM surveys AS s
    GROUP BY s.case_id, s.first_on
    HAVING
        SUM(
            CASE
                WHEN s.position > 1 AND s.completed_on >= s.first_on + $min_days_between THEN 1
                ELSE 0
            END
        ) = 0
)

SELECT
    c.case_id AS subject_id,
    c.case_id,
    c.patient_id,
    c.facility_id,
    c.therapist_id AS staff_id,
    GREATEST(f.week_on, w.due_on) AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'First MIPS Patient Survey on ' || CAST(w.first_on AS VARCHAR) || ', no second one'
    || CASE
        WHEN $min_days_between = 0 THEN ''
        ELSE ' ' || CAST($min_days_between AS VARCHAR) || ' days or more later'
    END AS reason,
FROM waiting AS w
INNER JOIN staging.cases AS c ON w.case_id = c.case_id
INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
WHERE
    NOT c.is_discharged
    AND c.opened_on <= f.today
    AND w.due_on <= f.today
    AND COALESCE(c.opened_on >= CAST($surveys_since AS DATE), TRUE);

/* unseen */
SELECT c.case_id AS subject_id,
FROM staging.cases AS c
WHERE NOT c.is_discharged AND c.opened_on < CAST($surveys_since AS DATE)
