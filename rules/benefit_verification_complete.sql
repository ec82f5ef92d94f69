/* rule
title        = "Benefit Verification Complete"
category     = "Billing"
clears       = "manual"
clears_when  = "Staff have reviewed the verified benefits and mark the task complete."
manual       = "allowed"
purpose      = "The benefits of a policy have been verified and must be reviewed."
resolve      = [
    "Open the patient's Policies and review the verified benefits.",
    "Correct copay, visit limit and authorization settings where they differ.",
    "Tell the patient what they will owe at each visit.",
    "Mark the task complete.",
]
links        = ["policies", "payments"]
reads        = ["policies", "staff"]
may_lack     = ["staff"]    # without staff, nobody is known to be of the practice
due_days     = 3    # before the next visit is charged at the old rates
ends_at_discharge = true    # benefits no longer matter when care has ended
subject_table = "policies"
source       = "requirements: Billing Tasks"

[params]
*/
WITH named AS (
    SELECT
        p.policy_id,
        LOWER(TRIM(p.verified_by)) AS verifier,
    FROM staging.policies AS p
    WHERE p.verified_at IS NOT NULL
),

-- Nobody reviews what they entered themselves.
own AS (
    SELECT DISTINCT n.policy_id,
    FROM named AS n
    INNER JOIN staging.staff AS s
        ON n.verifier = LOWER(TRIM(s.staff_id)) OR n.verifier = LOWER(TRIM(s.name))
)

SELECT
    p.policy_id AS subject_id,
    p.case_id,
    p.patient_id,
    p.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    p.verified_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'Benefits verified on ' || CAST(p.verified_on AS VARCHAR)
    || COALESCE(' by ' || p.verified_by, '') AS reason,
    -- A new verification needs a new review.
    CAST(p.verified_at AS VARCHAR) AS episode,
FROM staging.policies AS p
LEFT JOIN own AS o ON p.policy_id = o.policy_id
WHERE p.verified_at IS NOT NULL AND o.policy_id IS NULL
