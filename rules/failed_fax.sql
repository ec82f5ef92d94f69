/* rule
title        = "Failed Fax"
category     = "Clinical"
clears       = "manual"
clears_when  = "Staff have sent the fax again from Clinical Documents and mark the task complete."
manual       = "allowed"
purpose      = "A fax of a document was not delivered, after all retries."
resolve      = [
    "Open the patient's Clinical Documents and find the fax that failed.",
    "Check the number with the recipient's office and correct it on the case.",
    "Send the fax again and check that it is delivered.",
    "Mark the task complete.",
]
links        = ["documents", "demographics"]
reads        = ["documents", "faxes"]
looks_back   = ["faxes"]    # the newest fax of the document
due_days     = 1    # nobody else knows that the fax did not arrive
ends_at_discharge = false    # the document must still reach its recipient
subject_table = "documents"
source       = "requirements: Clinical Tasks; notes on the domain"

[params]
*/
WITH failed AS (
    SELECT
        d.document_id,
        d.case_id,
        d.patient_id,
        d.facility_id,
        d.owner_id,
        d.kind,
        d.fax_id,
        d.fax_attempts,
        d.failed_on,
        d.faxed_to,
    FROM staging.faxed_documents AS d
    WHERE d.fax_status = 'Failed'
)

SELECT
    f.document_id AS subject_id,
    f.case_id,
    f.patient_id,
    f.facility_id,
    f.owner_id AS staff_id,
    f.failed_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'Fax of the ' || f.kind || COALESCE(' to ' || f.faxed_to, '') || ' failed'
    || COALESCE(' on ' || CAST(f.failed_on AS VARCHAR), '')
    || ', attempts: ' || CAST(f.fax_attempts AS VARCHAR) AS reason,
    -- A new fax that fails is a new failure.
    f.fax_id AS episode,
FROM failed AS f;

/* unseen */
SELECT d.document_id AS subject_id,
FROM staging.faxed_documents AS d
WHERE d.fax_id IS NULL AND d.started_on < CAST($faxes_since AS DATE)
