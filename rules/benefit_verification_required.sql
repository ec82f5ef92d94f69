/* rule
title        = "Benefit Verification Required"
category     = "Billing"
clears       = "manual"
clears_when  = "Staff have verified the benefits, entered them, and mark the task complete."
manual       = "allowed"
purpose      = "Staff asked for verification when adding a policy, and it has not been verified."
resolve      = [
    "Open the patient's Policies and find the payer's phone number or portal.",
    "Verify eligibility, copay, coinsurance, deductible, visit limit and need of authorization.",
    "Enter the verified benefits on the policy.",
    "Mark the task complete.",
]
links        = ["policies", "demographics"]
reads        = ["policies"]
due_days     = 2    # benefits should be known before the next visit
ends_at_discharge = true    # benefits no longer matter when care has ended
subject_table = "policies"
source       = "requirements: Billing Tasks"

[params]
*/
SELECT
    p.policy_id AS subject_id,
    p.case_id,
    p.patient_id,
    p.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    p.verification_requested_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'Verification of benefits requested on '
    || CAST(p.verification_requested_on AS VARCHAR) AS reason,
FROM staging.policies AS p
WHERE p.verification_requested_at IS NOT NULL AND p.verified_at IS NULL
