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
reads        = ["appointments", "cases", "documents", "facilities", "faxes", "payers", "policies"]
looks_back   = ["appointments", "faxes"]    # the first treated visit, and the newest fax
may_lack     = ["appointments", "payers", "policies"]    # a plan is then not marked as due
due_days     = 30    # Medicare wants the signature within 30 days of the first treated visit
ends_at_discharge = false    # the plan of care must still be signed
converts_to  = ["failed_fax"]
subject_table = "documents"
source       = "requirements: Clinical Tasks; notes on the domain"

[params]
certification_kinds = "Medicare"    # kinds of payers whose plans must be certified, by commas
certify_days = 30    # days from the plan's first treated visit; after them the task is "at risk"
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
        d.faxed_to,
        d.sent_on,
    FROM staging.faxed_documents AS d
    WHERE
        d.has_plan_of_care
        AND d.status = 'Completed'
        AND d.fax_status = 'Sent'
        AND d.signed_on IS NULL
),

certified AS (
    SELECT
        p.document_id,
        p.is_ordered,
        p.order_signed_on,
        p.payer_kind,
        -- Without the first visits, nobody knows when the days began.
        CASE
            WHEN p.treated_from < CAST($appointments_since AS DATE) THEN CAST(NULL AS DATE)
            ELSE p.first_treated_on + $certify_days
        END AS due_on,
    FROM staging.plans_of_care AS p
    WHERE
        STRPOS(
            ',' || REPLACE(UPPER($certification_kinds), ', ', ',') || ',',
            ',' || UPPER(p.payer_kind) || ','
        ) > 0
)

SELECT
    s.document_id AS subject_id,
    s.case_id,
    s.patient_id,
    s.facility_id,
    s.owner_id AS staff_id,
    s.sent_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    s.kind || ' faxed' || COALESCE(' on ' || CAST(s.sent_on AS VARCHAR), '')
    || COALESCE(' to ' || s.faxed_to, '')
    || CASE
        WHEN c.is_ordered
            THEN ', the order signed on ' || CAST(c.order_signed_on AS VARCHAR) || ' is on file'
        WHEN c.due_on IS NULL THEN ', not yet signed'
        WHEN c.due_on < f.today THEN ', at risk: signature was due by '
        ELSE ', signature due by '
    END
    || CASE
        WHEN c.is_ordered THEN ''
        ELSE COALESCE(CAST(c.due_on AS VARCHAR) || ' for ' || c.payer_kind, '')
    END AS reason,
    -- A fax sent again after the task was completed needs a signature of its own.
    s.fax_id AS episode,
FROM sent AS s
INNER JOIN staging.facilities AS f ON s.facility_id = f.facility_id
LEFT JOIN certified AS c ON s.document_id = c.document_id;

/* unseen */
SELECT d.document_id AS subject_id,
FROM staging.faxed_documents AS d
WHERE
    d.has_plan_of_care
    AND d.status = 'Completed'
    AND d.signed_on IS NULL
    AND d.fax_id IS NULL
    AND COALESCE(d.completed_on, d.started_on) < CAST($faxes_since AS DATE);

/* evidence */
SELECT
    l.subject_id,
    FALSE AS is_work,
    'faxes' AS record_table,
    d.fax_id AS record_id,
    d.failed_on AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'the fax' || COALESCE(' to ' || d.faxed_to, '') || ' failed'
    || COALESCE(' on ' || CAST(d.failed_on AS VARCHAR), '')
    || ', fax ' || d.fax_id AS says,
FROM leaving AS l
INNER JOIN staging.faxed_documents AS d ON l.subject_id = d.document_id
WHERE d.fax_status = 'Failed'
