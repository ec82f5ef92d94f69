/* rule
title        = "Benefit Verification Complete"
category     = "Billing"
clears       = "manual"
clears_when  = "Staff have reviewed the verified benefits and mark the task complete."
manual       = "allowed"
purpose      = "The benefits of a policy have been verified and wait to be reviewed."
resolve      = [
    "Open the patient's Policies and review the verified benefits.",
    "Correct copay, visit limit and authorization settings where they differ.",
    "Tell the patient what they will owe at each visit.",
    "Mark the task complete.",
]
links        = ["policies", "payments"]
reads        = ["policies"]
due_days     = 3    # before the next visit is charged by the old figures
ends_at_discharge = true    # benefits of finished care interest nobody
subject_table = "policies"
source       = "seed: Billing Tasks table"

[params]
*/
SELECT
    p.policy_id AS subject_id,
    p.case_id,
    p.patient_id,
    p.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    p.verified_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'Benefits verified on ' || CAST(p.verified_on AS VARCHAR) || COALESCE(' by ' || p.verified_by, '') AS reason,
    -- Verified again is something new to review.
    CAST(p.verified_at AS VARCHAR) AS episode,
FROM staging.policies AS p
WHERE p.verified_at IS NOT NULL
