/* rule
title        = "Faxing Required"
category     = "Clinical"
clears       = "auto"
clears_when  = "The document is faxed; the task becomes Pending Signature or Failed Fax."
manual       = "override"
purpose      = "A completed plan of care has not been faxed to the referring provider."
resolve      = [
    "Open the patient's Clinical Documents and find the completed document.",
    "Check the referring provider and the fax number that the task names.",
    "Fax the document from there.",
]
links        = ["documents", "demographics"]
reads        = ["appointments", "cases", "documents", "facilities", "faxes", "payers", "policies"]
looks_back   = ["appointments", "faxes"]    # the first treated visit, and the newest fax
may_lack     = ["appointments", "payers", "policies"]    # a plan is then not marked as due
due_days     = 2    # the physician needs the rest of the 30 days to sign
ends_at_discharge = false    # the plan of care must still be signed
converts_to  = ["pending_signature", "failed_fax"]
subject_table = "documents"
source       = "requirements: Clinical Tasks; notes on the domain"

[params]
certification_kinds = "Medicare"    # kinds of payers whose plans must be certified, by commas
certify_days = 30    # days from the first treated visit; with an order on file, until it is sent
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
        d.completed_on,
        COALESCE(d.recipient, c.referring_provider) AS recipient,
        COALESCE(d.fax_number, c.referring_fax) AS fax_number,
    FROM staging.faxed_documents AS d
    INNER JOIN staging.cases AS c ON d.case_id = c.case_id
    WHERE
        d.has_plan_of_care
        AND d.status = 'Completed'
        AND (d.fax_id IS NULL OR d.fax_status = 'Queued')
        AND (
            d.fax_id IS NOT NULL
            OR COALESCE(
                COALESCE(d.completed_on, d.started_on) >= CAST($faxes_since AS DATE), TRUE
            )
        )
),

-- A plan whose fax failed before waits since then.
failures AS (
    SELECT
        u.document_id,
        MAX(x.failed_on) AS failed_on,
    FROM unsent AS u
    INNER JOIN staging.faxes AS x ON u.document_id = x.document_id
    WHERE x.status = 'Failed'
    GROUP BY u.document_id
),

certified AS (
    SELECT
        p.document_id,
        p.is_ordered,
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
    u.document_id AS subject_id,
    u.case_id,
    u.patient_id,
    u.facility_id,
    u.owner_id AS staff_id,
    GREATEST(u.completed_on, x.failed_on) AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    u.kind || ' completed' || COALESCE(' on ' || CAST(u.completed_on AS VARCHAR), '')
    || CASE
        WHEN u.fax_id IS NULL THEN ' and not faxed to '
        ELSE ', its fax is waiting to be sent to '
    END
    || COALESCE(u.recipient, 'the referring provider')
    || CASE
        WHEN u.fax_number IS NOT NULL THEN ' (fax ' || u.fax_number || ')'
        WHEN u.recipient IS NOT NULL THEN ' (no fax number on the case)'
        ELSE ' (no name and no fax number on the case)'
    END
    || CASE
        WHEN c.due_on IS NULL THEN ''
        WHEN NOT c.is_ordered THEN ', signature due by '
        WHEN c.due_on < f.today THEN ', at risk: was to be sent by '
        ELSE ', to be sent by '
    END
    || COALESCE(CAST(c.due_on AS VARCHAR) || ' for ' || c.payer_kind, '') AS reason,
FROM unsent AS u
INNER JOIN staging.facilities AS f ON u.facility_id = f.facility_id
LEFT JOIN failures AS x ON u.document_id = x.document_id
LEFT JOIN certified AS c ON u.document_id = c.document_id;

/* unseen */
SELECT d.document_id AS subject_id,
FROM staging.faxed_documents AS d
WHERE
    d.has_plan_of_care
    AND d.status = 'Completed'
    AND d.fax_id IS NULL
    AND COALESCE(d.completed_on, d.started_on) < CAST($faxes_since AS DATE);

/* evidence */
WITH ends AS (
    SELECT
        l.subject_id,
        d.fax_id,
        d.sent_on,
        d.failed_on,
        COALESCE(' to ' || d.faxed_to, '') AS to_whom,
        CASE
            WHEN d.fax_status = 'Sent' THEN 'sent'
            WHEN d.status = 'Draft' THEN 'draft'
            WHEN d.status = 'Review' THEN 'review'
            WHEN NOT d.has_plan_of_care THEN 'no plan'
            WHEN d.fax_status = 'Failed' THEN 'failed'
        END AS how,
    FROM leaving AS l
    INNER JOIN staging.faxed_documents AS d ON l.subject_id = d.document_id
)

SELECT
    e.subject_id,
    e.how = 'sent' AS is_work,
    CASE WHEN e.how IN ('sent', 'failed') THEN 'faxes' ELSE 'documents' END AS record_table,
    CASE WHEN e.how IN ('sent', 'failed') THEN e.fax_id ELSE e.subject_id END AS record_id,
    CASE e.how WHEN 'sent' THEN e.sent_on WHEN 'failed' THEN e.failed_on END AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    CASE e.how
        WHEN 'sent' THEN 'faxed' || e.to_whom
        WHEN 'failed' THEN 'the fax' || e.to_whom || ' failed'
        WHEN 'draft' THEN 'the document was put back to draft'
        WHEN 'review' THEN 'the document was put back to review'
        ELSE 'the document is no longer a plan of care'
    END
    || CASE e.how
        WHEN 'sent' THEN COALESCE(' on ' || CAST(e.sent_on AS VARCHAR), '') || ', fax ' || e.fax_id
        WHEN 'failed'
            THEN COALESCE(' on ' || CAST(e.failed_on AS VARCHAR), '') || ', fax ' || e.fax_id
        ELSE ''
    END AS says,
FROM ends AS e
WHERE e.how IS NOT NULL
