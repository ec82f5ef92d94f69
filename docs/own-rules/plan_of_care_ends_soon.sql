/* rule
# The newest completed plan of a case is taken to end `plan_days` after the first visit treated
# under it. The data do not know the end that the therapist wrote in the plan, which may be earlier,
# nor plans on paper. Whether the plan was signed is asked by Pending Signature.
title        = "Plan of Care Ends Soon"
category     = "Clinical"
clears       = "auto"
clears_when  = "A newer plan of care of the case is completed."
manual       = "allowed"
purpose      = "The plan of care of an open case ends soon, and no newer one is completed."
resolve      = [
    "Open the patient's Clinical Documents and read the end of the plan of care.",
    "If treatment goes on, write and complete a new plan of care, and fax it to be signed.",
    "If it does not, discharge the case.",
]
links        = ["documents", "schedule"]
reads        = ["appointments", "cases", "documents", "facilities", "payers", "policies"]
may_lack     = ["payers", "policies"]    # they come with the plans and decide nothing here
due_days     = 7    # leaves a week for the signature
ends_at_discharge = true    # a closed case needs no plan
subject_table = "documents"
source       = "an example of docs/own-rules.md; Medicare Benefit Policy Manual ch. 15 §220.1.3"

[params]
plan_days = 90    # days from the first treated visit; Medicare certifies no plan for longer
days_ahead = 14    # days to write the new plan before the old one ends
*/
WITH plans AS (
    SELECT
        d.document_id,
        d.case_id,
        d.patient_id,
        d.facility_id,
        d.owner_id,
        d.kind,
        d.completed_on,
        ROW_NUMBER() OVER (
            PARTITION BY d.case_id
            ORDER BY
                d.visit_on DESC, d.started_at DESC, LPAD(d.document_id, 64, '0') DESC, d.document_id
        ) AS recency,
    FROM staging.documents AS d
    WHERE d.has_plan_of_care AND d.status = 'Completed'
)

SELECT
    p.document_id AS subject_id,
    p.case_id,
    p.patient_id,
    p.facility_id,
    COALESCE(c.therapist_id, p.owner_id) AS staff_id,
    -- A plan that was completed late can be renewed from then on only.
    GREATEST(k.first_treated_on + $plan_days - $days_ahead, p.completed_on) AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'Plan of care (' || p.kind || ') treated since ' || CAST(k.first_treated_on AS VARCHAR)
    || ' ends on ' || CAST(k.first_treated_on + $plan_days AS VARCHAR) AS reason,
FROM plans AS p
INNER JOIN staging.plans_of_care AS k ON p.document_id = k.document_id
INNER JOIN staging.cases AS c ON p.case_id = c.case_id
INNER JOIN staging.facilities AS f ON p.facility_id = f.facility_id
WHERE
    p.recency = 1
    AND NOT c.is_discharged
    AND k.first_treated_on + $plan_days - $days_ahead <= f.today;

/* evidence */
WITH newer AS (
    SELECT
        l.subject_id,
        n.document_id,
        n.kind,
        n.completed_on,
        ROW_NUMBER() OVER (
            PARTITION BY l.subject_id
            ORDER BY
                n.visit_on DESC, n.started_at DESC, LPAD(n.document_id, 64, '0') DESC, n.document_id
        ) AS recency,
    FROM leaving AS l
    INNER JOIN staging.documents AS d ON l.subject_id = d.document_id
    INNER JOIN staging.documents AS n
        ON d.case_id = n.case_id AND d.visit_on <= n.visit_on AND d.document_id <> n.document_id
    LEFT JOIN before.documents AS b
        ON n.document_id = b.document_id AND b.has_plan_of_care AND b.status = 'Completed'
    WHERE n.has_plan_of_care AND n.status = 'Completed' AND b.document_id IS NULL
)

SELECT
    n.subject_id,
    TRUE AS is_work,
    'documents' AS record_table,
    n.document_id AS record_id,
    n.completed_on AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'new plan of care (' || n.kind || ')'
    || COALESCE(' completed on ' || CAST(n.completed_on AS VARCHAR), ' completed')
    || ', document ' || n.document_id AS says,
FROM newer AS n
WHERE n.recency = 1
UNION ALL
SELECT
    l.subject_id,
    FALSE AS is_work,
    'documents' AS record_table,
    d.document_id AS record_id,
    CAST(NULL AS DATE) AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    CASE
        WHEN d.status = 'Completed' THEN 'the document is no longer a plan of care'
        ELSE 'the plan of care is open again'
    END AS says,
FROM leaving AS l
INNER JOIN staging.documents AS d ON l.subject_id = d.document_id
WHERE d.status <> 'Completed' OR NOT d.has_plan_of_care
