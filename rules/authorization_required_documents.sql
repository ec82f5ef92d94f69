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
reads        = ["authorizations", "claim_holds"]
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
LEFT JOIN covered AS c ON h.hold_id = c.hold_id
WHERE c.hold_id IS NULL
