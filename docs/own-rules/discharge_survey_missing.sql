/* rule
title        = "Discharge Survey Missing"
category     = "Patient Engagement"
clears       = "auto"
clears_when  = "The patient completes the discharge survey."
manual       = "allowed"
purpose      = "The case was discharged and the patient has not completed the discharge survey."
resolve      = [
    "Open the patient's Demographics for the phone number and the e-mail address.",
    "Send the survey again, or ask its questions on the phone and enter the answers.",
]
links        = ["demographics"]
reads        = ["cases", "facilities", "surveys"]
due_days     = 7    # after two weeks few patients answer
ends_at_discharge = false    # it begins with the discharge
subject_table = "cases"
patients     = ["Active", "Inactive"]    # a discharged patient is often made Inactive the same day
source       = "an example of docs/own-rules.md"

[params]
days_after_discharge = 3    # days in which patients answer without being asked again
survey_kind = "Discharge Survey"    # the kind of survey, as the surveys extract has it
*/
SELECT
    c.case_id AS subject_id,
    c.case_id,
    c.patient_id,
    c.facility_id,
    c.therapist_id AS staff_id,
    c.discharged_on + $days_after_discharge AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'No ' || $survey_kind || ' since the discharge on ' || CAST(c.discharged_on AS VARCHAR)
        AS reason,
FROM staging.cases AS c
INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
WHERE
    c.discharged_on + $days_after_discharge <= f.today
    AND NOT EXISTS (
        SELECT 1,
        FROM staging.surveys AS s
        WHERE
            s.case_id = c.case_id
            AND s.kind = $survey_kind
            AND s.completed_on >= c.discharged_on
    );

/* evidence */
SELECT
    l.subject_id,
    TRUE AS is_work,
    'surveys' AS record_table,
    s.survey_id AS record_id,
    s.completed_on AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    s.kind || ' completed on ' || CAST(s.completed_on AS VARCHAR) AS says,
FROM leaving AS l
INNER JOIN staging.cases AS c ON l.subject_id = c.case_id
INNER JOIN staging.surveys AS s ON c.case_id = s.case_id AND c.discharged_on <= s.completed_on
WHERE s.kind = $survey_kind
UNION ALL
SELECT
    l.subject_id,
    FALSE AS is_work,
    'cases' AS record_table,
    c.case_id AS record_id,
    CAST(NULL AS DATE) AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'the case is open again' AS says,
FROM leaving AS l
INNER JOIN staging.cases AS c ON l.subject_id = c.case_id
WHERE c.discharged_on IS NULL
