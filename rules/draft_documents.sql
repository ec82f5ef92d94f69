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
    "If there was no visit that day, correct or delete the draft; then mark the task complete.",
]
links        = ["documents", "schedule"]
reads        = ["appointments", "documents", "facilities"]
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
    FROM staging.documents AS d
    INNER JOIN staging.facilities AS f ON d.facility_id = f.facility_id
    WHERE d.status = 'Draft' AND d.started_on + $grace_days <= f.today
),

treated AS (
    SELECT DISTINCT d.document_id,
    FROM drafts AS d
    INNER JOIN staging.appointments AS a ON d.case_id = a.case_id AND d.started_on = a.visit_on
    WHERE a.has_happened
)

SELECT
    d.document_id AS subject_id,
    d.case_id,
    d.patient_id,
    d.facility_id,
    d.owner_id AS staff_id,
    d.started_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    d.kind || ' started on ' || CAST(d.started_on AS VARCHAR) || ' is a draft'
    || CASE WHEN t.document_id IS NULL THEN '; no visit on that day' ELSE '' END AS reason,
    CASE WHEN t.document_id IS NULL THEN 'allowed' ELSE 'override' END AS manual,
FROM drafts AS d
LEFT JOIN treated AS t ON d.document_id = t.document_id
