/* rule
title        = "Claim Submission Hold"
category     = "Billing"
clears       = "auto"
clears_when  = "The billing issue is resolved and the hold is released."
manual       = "override"
purpose      = "A claim is held for a billing reason other than missing authorization paperwork."
resolve      = [
    "Read why the claim is held.",
    "Correct what the reason names: policy, demographics, coding or documentation.",
    "Release the hold so that the claim goes out.",
]
links        = ["policies", "demographics", "documents"]
reads        = ["claim_holds"]
due_days     = 7    # one weekly billing cycle
ends_at_discharge = false    # the claim is still unpaid
subject_table = "claim_holds"
source       = "requirements: Billing Tasks; notes on the domain"

[params]
*/
SELECT
    h.hold_id AS subject_id,
    h.case_id,
    h.patient_id,
    h.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    h.held_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'Claim for the visit on ' || CAST(h.date_of_service AS VARCHAR)
    || ' held on ' || CAST(h.held_on AS VARCHAR) || ': ' || h.reason AS reason,
FROM staging.claim_holds AS h
WHERE h.released_at IS NULL AND NOT h.is_authorization_hold;

/* evidence */
SELECT
    l.subject_id,
    h.released_at IS NOT NULL AS is_work,
    'claim_holds' AS record_table,
    h.hold_id AS record_id,
    h.released_on AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    COALESCE(
        'hold released on ' || CAST(h.released_on AS VARCHAR),
        'the hold has the code ' || h.reason_code || ', which is about authorization'
    ) AS says,
FROM leaving AS l
INNER JOIN staging.claim_holds AS h ON l.subject_id = h.hold_id
WHERE h.released_at IS NOT NULL OR h.is_authorization_hold
