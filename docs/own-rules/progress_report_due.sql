/* rule
# Days with a treated visit count, two visits of a day once, whatever the discipline. They are
# counted after the last completed report, or from the first one of the case, the evaluation
# included. A plan of care is a report, too. The data do not know what a note says, reports on paper
# or in a Daily Note, and visits before the extract begins.
title        = "Progress Report Due"
category     = "Clinical"
clears       = "auto"
clears_when  = "A progress report or a plan of care of the case is completed."
manual       = "allowed"
purpose      = "Medicare wants a progress report by the 10th treatment day, and none is completed."
resolve      = [
    "Open the patient's Clinical Documents and look for a progress report in draft.",
    "Write and complete the progress report at the next visit.",
    "If the report is on paper or part of another note, complete the task.",
]
links        = ["documents", "schedule"]
reads        = ["appointments", "cases", "documents", "facilities", "payers", "policies"]
due_days     = 7    # by then most patients have had their next visit
ends_at_discharge = true    # the discharge summary takes its place
subject_table = "cases"
source       = "an example of docs/own-rules.md; Medicare Benefit Policy Manual ch. 15 §220.3.D"

[params]
treatment_days = 10    # Medicare wants a report at least once in so many treatment days
visits_ahead = 1    # opens so many treatment days before, to be written at the next visit
payer_kinds = "Medicare"    # kinds of primary payers that want it, by commas
report_kinds = "Progress Note, Re-Evaluation"    # kinds of documents that are one, by commas
*/
WITH payers AS (
    SELECT
        c.case_id,
        y.kind,
        ROW_NUMBER() OVER (
            PARTITION BY c.case_id
            ORDER BY
                CASE WHEN o.case_id IS NULL THEN 1 ELSE 0 END,
                COALESCE(o.starts_on, DATE '1900-01-01') DESC,
                LPAD(o.policy_id, 64, '0'),
                o.policy_id
        ) AS choice,
    FROM staging.cases AS c
    INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
    INNER JOIN staging.policies AS o
        ON
            c.patient_id = o.patient_id
            AND (o.case_id IS NULL OR c.case_id = o.case_id)
            AND o.rank = 1
            AND COALESCE(o.starts_on, f.today) <= f.today
            AND COALESCE(o.ends_on, f.today) >= f.today
    INNER JOIN staging.payers AS y ON o.payer_id = y.payer_id
    WHERE NOT c.is_discharged
),

treated AS (
    SELECT
        a.case_id,
        a.visit_on,
        MIN(a.visit_on) OVER (PARTITION BY a.case_id) AS first_on,
    FROM payers AS p
    INNER JOIN staging.appointments AS a ON p.case_id = a.case_id
    WHERE
        p.choice = 1
        AND STRPOS(
            ',' || REPLACE(UPPER($payer_kinds), ', ', ',') || ',',
            ',' || UPPER(p.kind) || ','
        ) > 0
        AND a.has_happened
),

-- What was written on the first day is the evaluation, and that day counts.
reports AS (
    SELECT
        t.case_id,
        MAX(d.visit_on) AS reported_on,
    FROM treated AS t
    INNER JOIN staging.documents AS d ON t.case_id = d.case_id AND t.first_on < d.visit_on
    WHERE
        d.status = 'Completed'
        AND (
            d.has_plan_of_care
            OR STRPOS(
                ',' || REPLACE(UPPER($report_kinds), ', ', ',') || ',',
                ',' || UPPER(d.kind) || ','
            ) > 0
        )
    GROUP BY t.case_id
),

counted AS (
    SELECT
        t.case_id,
        t.visit_on,
        r.reported_on,
        ROW_NUMBER() OVER (PARTITION BY t.case_id ORDER BY t.visit_on) AS day_no,
    FROM treated AS t
    LEFT JOIN reports AS r ON t.case_id = r.case_id
    WHERE r.reported_on IS NULL OR t.visit_on > r.reported_on
    GROUP BY t.case_id, t.visit_on, r.reported_on
)

SELECT
    c.case_id AS subject_id,
    c.case_id,
    c.patient_id,
    c.facility_id,
    c.therapist_id AS staff_id,
    d.visit_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'Progress report due by treatment day ' || CAST($treatment_days AS VARCHAR)
    || COALESCE(' after the report of ' || CAST(d.reported_on AS VARCHAR), ' of the case')
    || CASE
        WHEN l.visit_on IS NULL
            THEN '; day ' || CAST(d.day_no AS VARCHAR) || ' was ' || CAST(d.visit_on AS VARCHAR)
        ELSE '; that day was ' || CAST(l.visit_on AS VARCHAR)
    END AS reason,
FROM counted AS d
INNER JOIN staging.cases AS c ON d.case_id = c.case_id
LEFT JOIN counted AS l ON d.case_id = l.case_id AND l.day_no = $treatment_days
WHERE d.day_no = $treatment_days - $visits_ahead;

/* evidence */
WITH reports AS (
    SELECT
        l.subject_id,
        d.document_id,
        d.kind,
        d.completed_on,
        ROW_NUMBER() OVER (
            PARTITION BY l.subject_id
            ORDER BY d.visit_on DESC, LPAD(d.document_id, 64, '0') DESC, d.document_id DESC
        ) AS recency,
    FROM leaving AS l
    INNER JOIN staging.documents AS d ON l.subject_id = d.case_id
    LEFT JOIN before.documents AS b ON d.document_id = b.document_id AND b.status = 'Completed'
    WHERE
        d.status = 'Completed'
        AND b.document_id IS NULL
        AND (
            d.has_plan_of_care
            OR STRPOS(
                ',' || REPLACE(UPPER($report_kinds), ', ', ',') || ',',
                ',' || UPPER(d.kind) || ','
            ) > 0
        )
)

SELECT
    r.subject_id,
    TRUE AS is_work,
    'documents' AS record_table,
    r.document_id AS record_id,
    r.completed_on AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    r.kind || ' completed' || COALESCE(' on ' || CAST(r.completed_on AS VARCHAR), '')
    || ', document ' || r.document_id AS says,
FROM reports AS r
WHERE r.recency = 1
