/* rule
title        = "Authorization Required Documents"
category     = "Billing"
clears       = "auto"
clears_when  = "An uploaded authorization covers the date of service, or the hold is released."
manual       = "override"
purpose      = "A claim cannot be submitted because its authorization paperwork is missing."
resolve      = [
    "Open the patient's Authorizations and look for one that covers the claim's date of service.",
    "If the letter is not in the chart, get it from the payer or the referring provider.",
    "If nobody asked for one, request a retroactive authorization before the filing limit.",
    "Enter the authorization on the policy and upload its document.",
]
links        = ["authorizations", "policies", "documents"]
reads        = ["authorizations", "cases", "claim_holds"]
looks_back   = ["authorizations"]    # those of the whole case
due_days     = 7    # payers refuse claims after their filing limit
ends_at_discharge = false    # the claim is still unpaid
subject_table = "claim_holds"
source       = "requirements: Billing Tasks; notes on the domain"

[params]
*/
WITH holds AS (
    SELECT
        h.hold_id,
        h.case_id,
        h.patient_id,
        h.facility_id,
        h.policy_id,
        h.date_of_service,
        h.held_on,
    FROM staging.claim_holds AS h
    WHERE h.released_at IS NULL AND h.is_authorization_hold
),

covered AS (
    SELECT DISTINCT h.hold_id,
    FROM holds AS h
    INNER JOIN staging.authorizations AS a ON h.case_id = a.case_id
    WHERE
        NOT a.is_stub
        AND a.document_uploaded_at IS NOT NULL
        AND (h.policy_id IS NULL OR h.policy_id = a.policy_id)
        AND (a.starts_on IS NULL OR a.starts_on <= h.date_of_service)
        AND (a.ends_on IS NULL OR a.ends_on >= h.date_of_service)
)

SELECT
    h.hold_id AS subject_id,
    h.case_id,
    h.patient_id,
    h.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    h.held_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'Claim for the visit on ' || CAST(h.date_of_service AS VARCHAR)
    || ' held on ' || CAST(h.held_on AS VARCHAR)
    || ': no uploaded authorization covers that day' AS reason,
FROM holds AS h
INNER JOIN staging.cases AS k ON h.case_id = k.case_id
LEFT JOIN covered AS c ON h.hold_id = c.hold_id
WHERE
    c.hold_id IS NULL
    AND COALESCE(k.opened_on >= CAST($authorizations_since AS DATE), TRUE);

/* unseen */
SELECT h.hold_id AS subject_id,
FROM staging.claim_holds AS h
INNER JOIN staging.cases AS k ON h.case_id = k.case_id
LEFT JOIN staging.authorizations AS a
    ON
        h.case_id = a.case_id
        AND NOT a.is_stub
        AND a.document_uploaded_at IS NOT NULL
        AND (h.policy_id IS NULL OR h.policy_id = a.policy_id)
        AND (a.starts_on IS NULL OR h.date_of_service >= a.starts_on)
        AND (a.ends_on IS NULL OR h.date_of_service <= a.ends_on)
WHERE
    h.released_at IS NULL
    AND h.is_authorization_hold
    AND a.authorization_id IS NULL
    AND k.opened_on < CAST($authorizations_since AS DATE);

/* evidence */
WITH departed AS (
    SELECT
        h.hold_id,
        h.case_id,
        h.policy_id,
        h.date_of_service,
        h.reason_code,
        h.is_authorization_hold,
        h.released_at,
        h.released_on,
    FROM leaving AS l
    INNER JOIN staging.claim_holds AS h ON l.subject_id = h.hold_id
),

-- The authorizations that cover the claim, those first that did not the run before.
covering AS (
    SELECT
        d.hold_id,
        a.authorization_id,
        'authorization ' || COALESCE(a.number, a.authorization_id) AS name,
        a.document_uploaded_on,
        b.authorization_id IS NOT NULL AS did_before,
        ROW_NUMBER() OVER (
            PARTITION BY d.hold_id
            ORDER BY
                CASE WHEN b.authorization_id IS NULL THEN 1 ELSE 2 END ASC,
                a.document_uploaded_at DESC,
                LPAD(a.authorization_id, 64, '0') ASC,
                a.authorization_id ASC
        ) AS choice,
    FROM departed AS d
    INNER JOIN staging.authorizations AS a ON d.case_id = a.case_id
    LEFT JOIN before.authorizations AS b
        ON
            a.authorization_id = b.authorization_id
            AND d.case_id = b.case_id
            AND (d.policy_id IS NULL OR d.policy_id = b.policy_id)
            AND NOT b.is_stub
            AND b.document_uploaded_at IS NOT NULL
            AND (b.starts_on IS NULL OR d.date_of_service >= b.starts_on)
            AND (b.ends_on IS NULL OR d.date_of_service <= b.ends_on)
    WHERE
        NOT a.is_stub
        AND a.document_uploaded_at IS NOT NULL
        AND (d.policy_id IS NULL OR d.policy_id = a.policy_id)
        AND (a.starts_on IS NULL OR a.starts_on <= d.date_of_service)
        AND (a.ends_on IS NULL OR a.ends_on >= d.date_of_service)
),

causes AS (
    SELECT
        d.hold_id,
        d.date_of_service,
        d.reason_code,
        d.released_on,
        CASE
            WHEN d.released_at IS NOT NULL THEN 'released'
            WHEN NOT c.did_before THEN 'uploaded'
            WHEN NOT d.is_authorization_hold THEN 'other code'
            WHEN c.did_before THEN 'other claim'
        END AS cause,
        c.authorization_id,
        c.name,
        c.document_uploaded_on,
    FROM departed AS d
    LEFT JOIN covering AS c ON d.hold_id = c.hold_id AND c.choice = 1
)

SELECT
    c.hold_id AS subject_id,
    c.cause IN ('released', 'uploaded') AS is_work,
    CASE
        WHEN c.cause IN ('uploaded', 'other claim') THEN 'authorizations' ELSE 'claim_holds'
    END AS record_table,
    CASE
        WHEN c.cause IN ('uploaded', 'other claim') THEN c.authorization_id ELSE c.hold_id
    END AS record_id,
    CASE c.cause
        WHEN 'released' THEN c.released_on
        WHEN 'uploaded' THEN c.document_uploaded_on
    END AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    CASE c.cause
        WHEN 'released' THEN 'hold released on ' || CAST(c.released_on AS VARCHAR)
        WHEN 'uploaded'
            THEN
                c.name || ' covers ' || CAST(c.date_of_service AS VARCHAR)
                || ', document uploaded on ' || CAST(c.document_uploaded_on AS VARCHAR)
        WHEN 'other code'
            THEN 'the hold has the code ' || c.reason_code || ', which is not about authorization'
        ELSE
            'the claim is now for ' || CAST(c.date_of_service AS VARCHAR) || ', which '
            || c.name || ' covers'
    END AS says,
FROM causes AS c
WHERE c.cause IS NOT NULL
