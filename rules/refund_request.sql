/* rule
title        = "Refund Request"
category     = "Administrative"
clears       = "manual"
clears_when  = "Staff have refunded the patient and mark the task complete."
manual       = "allowed"
purpose      = "Every claim of the case is processed and the patient has paid more than was owed."
resolve      = [
    "Open the patient's Payments and compare them with what the processed claims left to pay.",
    "Check that no payment is unapplied and that no other case of the patient has a balance.",
    "Refund the difference and enter the refund on the Payments page.",
    "Mark the task complete.",
]
links        = ["payments", "policies"]
reads        = ["cases", "claims", "facilities", "payments"]
due_days     = 30    # many states require a refund within 30 days
ends_at_discharge = false    # the money is still the patient's
subject_table = "cases"
source       = "requirements: Administrative Tasks; notes on the domain"

[params]
review_days = 45    # days after the last claim was processed, for late corrections and postings
min_amount  = 0.00    # dollars of credit that need no refund
*/
WITH billed AS (
    SELECT
        cl.case_id,
        COUNT(*) AS claim_count,
        SUM(COALESCE(cl.patient_responsibility, 0)) AS owed,
        MAX(cl.processed_on) AS last_processed_on,
    FROM staging.claims AS cl
    GROUP BY cl.case_id
    -- One unprocessed claim can change the balance, so all must be processed.
    HAVING COUNT(*) = COUNT(cl.processed_on)
),

reviewed AS (
    SELECT
        b.case_id,
        c.patient_id,
        c.facility_id,
        b.claim_count,
        b.owed,
        b.last_processed_on,
    FROM billed AS b
    INNER JOIN staging.cases AS c ON b.case_id = c.case_id
    INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
    WHERE b.last_processed_on + $review_days <= f.today
),

paid AS (
    SELECT
        p.case_id,
        SUM(p.net_amount) AS paid,
    FROM staging.payments AS p
    INNER JOIN reviewed AS r ON p.case_id = r.case_id
    GROUP BY p.case_id
)

SELECT
    r.case_id AS subject_id,
    r.case_id,
    r.patient_id,
    r.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    r.last_processed_on + $review_days AS since,
    CAST(p.paid - r.owed AS DECIMAL(12, 2)) AS amount,
    '$' || CAST(CAST(p.paid AS DECIMAL(12, 2)) AS VARCHAR) || ' paid, $'
    || CAST(CAST(r.owed AS DECIMAL(12, 2)) AS VARCHAR)
    || ' owed; claims processed: ' || CAST(r.claim_count AS VARCHAR)
    || ', the last on ' || CAST(r.last_processed_on AS VARCHAR) AS reason,
FROM reviewed AS r
INNER JOIN paid AS p ON r.case_id = p.case_id
WHERE p.paid - r.owed > CAST($min_amount AS DECIMAL(12, 2))
