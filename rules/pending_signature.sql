/* rule
title        = "Pending Signature"
category     = "Clinical"
clears       = "manual"
clears_when  = "Staff have attached the signed document to the chart and mark the task complete."
manual       = "allowed"
purpose      = "A plan of care was faxed, and the physician has not returned it signed."
resolve      = [
    "Look for the signed document among the incoming faxes.",
    "If it is not there, call the physician's office; fax it again if they cannot find it.",
    "Attach the signed document to the patient's chart under Clinical Documents.",
    "Mark the task complete.",
]
links        = ["documents", "demographics"]
reads        = ["documents", "facilities", "faxes"]
due_days     = 30    # Medicare requires the signature within 30 days
ends_at_discharge = false    # the plan of care must still be signed
converts_to  = ["failed_fax"]
subject_table = "documents"
source       = "requirements: Clinical Tasks; notes on the domain"

[params]
at_risk_days = 30    # days until a missing signature puts payment at risk; only marks the task
*/
WITH sent AS (
    SELECT
        d.document_id,
        d.case_id,
        d.patient_id,
        d.facility_id,
        d.owner_id,
        d.kind,
        d.fax_id,
        COALESCE(d.sent_on, d.completed_on, d.started_on) AS sent_on,
    FROM staging.faxed_documents AS d
    WHERE d.has_plan_of_care AND d.status = 'Completed' AND d.fax_status = 'Sent'
)

SELECT
    s.document_id AS subject_id,
    s.case_id,
    s.patient_id,
    s.facility_id,
    s.owner_id AS staff_id,
    s.sent_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    s.kind || ' faxed on ' || CAST(s.sent_on AS VARCHAR)
    || CASE
        WHEN s.sent_on + $at_risk_days < f.today THEN ', at risk: signature was due by '
        ELSE ', signature due by '
    END
    || CAST(s.sent_on + $at_risk_days AS VARCHAR) AS reason,
    -- A fax sent again after the task was completed needs a signature of its own.
    s.fax_id AS episode,
FROM sent AS s
INNER JOIN staging.facilities AS f ON s.facility_id = f.facility_id
