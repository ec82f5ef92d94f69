/* rule
title        = "Draft Documents"
category     = "Clinical"
clears       = "auto"
clears_when  = "The document is completed or sent for review."
manual       = "override"
purpose      = "A clinical document was started and is still a draft."
resolve      = [
    "Open the patient's Clinical Documents and find the draft by the day it was started.",
    "Finish and sign it, or send it for review.",
    "If the patient came and was not checked in, ask the front desk to correct the visit.",
    "If there was no visit that day, correct or delete the draft; then mark the task complete.",
]
links        = ["documents", "schedule"]
reads        = ["appointments", "documents", "facilities"]
looks_back   = ["appointments"]    # the visit of the draft
due_days     = 2    # notes should be completed and billed within two days
ends_at_discharge = false    # the legal record must be completed
subject_table = "documents"
source       = "requirements: Clinical Tasks; notes on the domain"

[params]
grace_days = 0    # days before a draft becomes a task
*/
WITH drafts AS (
    SELECT
        d.document_id,
        d.case_id,
        d.patient_id,
        d.facility_id,
        d.owner_id,
        d.kind,
        d.started_on,
        d.visit_on,
        d.visit_known_by,
        CAST(DATE_TRUNC('week', d.visit_on) AS DATE) AS monday_on,
    FROM staging.documents AS d
    INNER JOIN staging.facilities AS f ON d.facility_id = f.facility_id
    WHERE d.status = 'Draft' AND d.started_on + $grace_days <= f.today
),

-- What the patient's schedule says of that day; whoever checked in was seen.
seen AS (
    SELECT
        d.document_id,
        BOOL_OR(a.has_happened) AS is_treated,
        BOOL_OR(a.is_live) AS is_booked,
    FROM drafts AS d
    INNER JOIN staging.appointments AS a
        ON d.patient_id = a.patient_id AND d.visit_on = a.visit_on
    GROUP BY d.document_id
),

named AS (
    SELECT
        d.document_id,
        d.case_id,
        d.patient_id,
        d.facility_id,
        d.owner_id,
        d.kind,
        d.started_on,
        s.is_treated,
        s.is_booked,
        s.document_id IS NULL
        AND COALESCE(d.visit_on < CAST($appointments_since AS DATE), FALSE) AS is_unseen,
        CASE d.visit_on
            WHEN d.monday_on THEN 'Monday, '
            WHEN d.monday_on + 1 THEN 'Tuesday, '
            WHEN d.monday_on + 2 THEN 'Wednesday, '
            WHEN d.monday_on + 3 THEN 'Thursday, '
            WHEN d.monday_on + 4 THEN 'Friday, '
            WHEN d.monday_on + 5 THEN 'Saturday, '
            ELSE 'Sunday, '
        END
        || CAST(d.visit_on AS VARCHAR)
        || CASE d.visit_known_by
            WHEN 'appointment' THEN ' (by its appointment)'
            WHEN 'date of service' THEN ' (by its date of service)'
            ELSE ' (by the day it was started)'
        END AS visit_day,
    FROM drafts AS d
    LEFT JOIN seen AS s ON d.document_id = s.document_id
)

SELECT
    n.document_id AS subject_id,
    n.case_id,
    n.patient_id,
    n.facility_id,
    n.owner_id AS staff_id,
    n.started_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    n.kind || ' started on ' || CAST(n.started_on AS VARCHAR) || ' is a draft'
    || CASE
        WHEN n.is_treated THEN ' for the visit of ' || n.visit_day
        WHEN n.is_booked THEN ' for the visit of ' || n.visit_day || '; visit not checked in'
        WHEN n.is_unseen THEN ' of ' || n.visit_day || ', from before the visits in the data'
        ELSE '; no visit on ' || n.visit_day
    END AS reason,
    -- Where nobody can say whether the patient was seen, completing it by hand asks for a reason.
    CASE
        WHEN n.is_treated OR n.is_unseen THEN 'override'
        ELSE 'allowed'
    END AS manual,
FROM named AS n;

/* evidence */
WITH ends AS (
    SELECT
        l.subject_id,
        l.since,
        d.status,
        d.kind,
        d.started_on,
        CASE d.status
            WHEN 'Completed' THEN d.completed_on
            WHEN 'Review' THEN d.submitted_for_review_on
        END AS happened_on,
    FROM leaving AS l
    INNER JOIN staging.documents AS d ON l.subject_id = d.document_id
    WHERE d.status <> 'Draft' OR d.started_on <> l.since
)

SELECT
    e.subject_id,
    e.status <> 'Draft' AS is_work,
    'documents' AS record_table,
    e.subject_id AS record_id,
    e.happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    e.kind
    || CASE e.status
        WHEN 'Completed' THEN ' completed'
        WHEN 'Review' THEN ' sent for review'
        ELSE ': its start changed from ' || CAST(e.since AS VARCHAR) || ' to '
    END
    || CASE
        WHEN e.status = 'Draft' THEN CAST(e.started_on AS VARCHAR)
        ELSE COALESCE(' on ' || CAST(e.happened_on AS VARCHAR), '')
    END AS says,
FROM ends AS e
