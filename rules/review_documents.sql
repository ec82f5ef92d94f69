/* rule
title        = "Review Documents"
category     = "Clinical"
clears       = "manual"
clears_when  = "The reviewer has finished the review and marks the task complete."
manual       = "allowed"
purpose      = "A document was sent to another member of staff for review."
resolve      = [
    "If nobody is chosen as reviewer, choose one and assign the task.",
    "Open the patient's Clinical Documents and read the document under review.",
    "Approve it, or send it back with comments.",
    "Mark the task complete.",
]
links        = ["documents"]
reads        = ["documents"]
due_days     = 3    # the claim needs the document
ends_at_discharge = false    # the legal record must be completed
subject_table = "documents"
source       = "requirements: Clinical Tasks; notes on the domain"

[params]
*/
SELECT
    d.document_id AS subject_id,
    d.case_id,
    d.patient_id,
    d.facility_id,
    d.reviewer_id AS staff_id,
    d.submitted_for_review_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    d.kind || ' sent for review'
    || COALESCE(' on ' || CAST(d.submitted_for_review_on AS VARCHAR), '')
    || CASE WHEN d.reviewer_id IS NULL THEN '; no reviewer chosen' ELSE '' END AS reason,
    -- A document sent for review again needs a new review.
    CAST(d.submitted_for_review_at AS VARCHAR) AS episode,
FROM staging.documents AS d
WHERE d.status = 'Review'
