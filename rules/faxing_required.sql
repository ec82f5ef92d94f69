/* rule
title        = "Faxing Required"
category     = "Clinical"
clears       = "auto"
clears_when  = "The document is faxed; the task becomes Pending Signature or Failed Fax."
manual       = "override"
purpose      = "A completed plan of care has not been faxed to the referring provider."
resolve      = [
    "Open the patient's Clinical Documents and find the completed document.",
    "Check the referring provider's name and fax number on the case.",
    "Fax the document from there.",
]
links        = ["documents", "demographics"]
reads        = ["documents", "faxes"]
due_days     = 2    # the physician has 30 days to sign
ends_at_discharge = false    # the plan of care must still be signed
converts_to  = ["pending_signature", "failed_fax"]
subject_table = "documents"
source       = "requirements: Clinical Tasks; notes on the domain"

[params]
*/
WITH unsent AS (
    SELECT
        d.document_id,
        d.case_id,
        d.patient_id,
        d.facility_id,
        d.owner_id,
        d.kind,
        d.fax_id,
        COALESCE(d.completed_on, d.date_of_service, d.started_on) AS completed_on,
    FROM staging.faxed_documents AS d
    WHERE
        d.has_plan_of_care
        AND d.status = 'Completed'
        AND (d.fax_id IS NULL OR d.fax_status = 'Queued')
)

SELECT
    u.document_id AS subject_id,
    u.case_id,
    u.patient_id,
    u.facility_id,
    u.owner_id AS staff_id,
    u.completed_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    u.kind || ' completed on ' || CAST(u.completed_on AS VARCHAR)
    || CASE
        WHEN u.fax_id IS NULL THEN ' and not faxed'
        ELSE ', its fax is waiting to be sent'
    END AS reason,
FROM unsent AS u
