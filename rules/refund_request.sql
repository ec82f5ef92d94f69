/* rule
title        = "Refund Request"
category     = "Administrative"
clears       = "manual"
clears_when  = "Staff have refunded the patient and mark the task complete."
manual       = "allowed"
purpose      = "All claims are processed, and the patient has paid more than all visits cost them."
resolve      = [
    "Open the patient's Payments and compare them with the patient responsibility of each claim.",
    "Check that every payment is applied to its visit, and that no payer will correct a claim.",
    "Refund the amount by the way it was paid, and enter the refund on the Payments page.",
    "Mark the task complete.",
]
links        = ["payments", "policies"]
reads        = ["appointments", "cases", "claims", "facilities", "payments"]
looks_back   = ["appointments", "claims", "payments"]    # all of the patient's cases
due_days     = 30    # many states require a refund within 30 days
ends_at_discharge = false    # the money is still the patient's
subject_table = "cases"
looks_at     = "patient"
source       = "requirements: Administrative Tasks; notes on the domain"

[params]
review_days = 45    # days after the last claim was processed, for late corrections and postings
min_amount  = 0.00    # dollars of credit that need no refund
*/
WITH case_accounts AS (
    SELECT
        a.case_id,
        k.patient_id,
        k.facility_id,
        SUM(a.claims) AS claims,
        SUM(a.claims_unknown) AS claims_unknown,
        MAX(a.last_processed_on) AS last_processed_on,
        SUM(a.paid - a.refunded) AS paid,
        SUM(a.owed) AS owed,
    FROM staging.accounts AS a
    INNER JOIN staging.cases AS k ON a.case_id = k.case_id
    GROUP BY a.case_id, k.patient_id, k.facility_id
),

-- What was due or paid before the data may decide.
early_patients AS (
    SELECT DISTINCT k.patient_id,
    FROM staging.cases AS k
    WHERE
        k.opened_on < GREATEST(
            CAST($appointments_since AS DATE),
            CAST($claims_since AS DATE),
            CAST($payments_since AS DATE)
        )
),

-- One claim without an answer can change every balance, so all of the patient's need one.
credited_patients AS (
    SELECT
        c.patient_id,
        MAX(c.last_processed_on) AS last_processed_on,
        SUM(c.paid - c.owed) AS credit,
    FROM case_accounts AS c
    LEFT JOIN early_patients AS e ON c.patient_id = e.patient_id
    WHERE e.patient_id IS NULL
    GROUP BY c.patient_id
    HAVING
        SUM(c.claims_unknown) = 0
        AND SUM(c.paid - c.owed) > CAST($min_amount AS DECIMAL(12, 2))
),

-- Money is no credit while its visit is ahead, or has neither an amount due nor a claim.
unpriced_days AS (
    SELECT
        v.case_id,
        p.patient_id,
        v.visit_on,
        BOOL_OR(NOT v.has_happened) AS is_ahead,
    FROM staging.appointments AS v
    INNER JOIN credited_patients AS p ON v.patient_id = p.patient_id
    WHERE (v.is_live AND NOT v.has_happened) OR (v.has_happened AND v.amount_due IS NULL)
    GROUP BY v.case_id, p.patient_id, v.visit_on
),

prepaid_days AS (
    SELECT
        a.case_id,
        d.patient_id,
        a.date_of_service,
        a.paid - a.refunded - a.owed AS prepaid,
    FROM staging.accounts AS a
    INNER JOIN unpriced_days AS d ON a.case_id = d.case_id AND a.date_of_service = d.visit_on
    WHERE a.paid - a.refunded > a.owed AND (d.is_ahead OR a.claims = 0)
),

prepaid_cases AS (
    SELECT
        d.case_id,
        SUM(d.prepaid) AS prepaid,
    FROM prepaid_days AS d
    GROUP BY d.case_id
),

prepaid_patients AS (
    SELECT
        d.patient_id,
        SUM(d.prepaid) AS prepaid,
    FROM prepaid_days AS d
    GROUP BY d.patient_id
),

-- Day by day, what the patient had paid and what the visits up to then had cost.
movements AS (
    SELECT
        p.patient_id,
        m.paid_on AS moved_on,
        m.net_amount AS amount,
    FROM staging.payments AS m
    INNER JOIN staging.cases AS c ON m.case_id = c.case_id
    INNER JOIN credited_patients AS p ON c.patient_id = p.patient_id
    LEFT JOIN prepaid_days AS d
        ON m.case_id = d.case_id AND m.date_of_service = d.date_of_service
    WHERE d.case_id IS NULL
    UNION ALL
    SELECT
        p.patient_id,
        a.date_of_service AS moved_on,
        -a.owed AS amount,
    FROM staging.accounts AS a
    INNER JOIN staging.cases AS c ON a.case_id = c.case_id
    INNER JOIN credited_patients AS p ON c.patient_id = p.patient_id
    LEFT JOIN prepaid_days AS d
        ON a.case_id = d.case_id AND a.date_of_service = d.date_of_service
    WHERE d.case_id IS NULL AND a.owed > 0
),

moved_days AS (
    SELECT
        m.patient_id,
        m.moved_on,
        SUM(SUM(m.amount)) OVER (
            PARTITION BY m.patient_id ORDER BY m.moved_on
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS credit,
    FROM movements AS m
    GROUP BY m.patient_id, m.moved_on
),

days_without_credit AS (
    SELECT
        d.patient_id,
        MAX(d.moved_on) AS last_on,
    FROM moved_days AS d
    WHERE d.credit <= CAST($min_amount AS DECIMAL(12, 2))
    GROUP BY d.patient_id
),

first_days_of_credit AS (
    SELECT
        d.patient_id,
        MIN(d.moved_on) AS credited_on,
    FROM moved_days AS d
    LEFT JOIN days_without_credit AS w ON d.patient_id = w.patient_id
    WHERE w.last_on IS NULL OR d.moved_on > w.last_on
    GROUP BY d.patient_id
),

credits AS (
    SELECT
        c.case_id,
        c.patient_id,
        c.facility_id,
        c.claims,
        c.last_processed_on,
        c.paid,
        c.owed,
        COALESCE(r.prepaid, 0) AS prepaid,
        c.paid - c.owed - COALESCE(r.prepaid, 0) AS credit,
        p.credit - COALESCE(q.prepaid, 0) AS credit_of_all_cases,
        p.last_processed_on AS last_of_all_cases_on,
    FROM case_accounts AS c
    INNER JOIN credited_patients AS p ON c.patient_id = p.patient_id
    INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
    LEFT JOIN prepaid_cases AS r ON c.case_id = r.case_id
    LEFT JOIN prepaid_patients AS q ON c.patient_id = q.patient_id
    WHERE
        c.claims > 0
        AND c.last_processed_on + $review_days <= f.today
        AND c.paid - c.owed > COALESCE(r.prepaid, 0)
),

-- The case reviewed first gives back first; what other cases owe is kept from the last.
refunds AS (
    SELECT
        c.case_id,
        c.patient_id,
        c.facility_id,
        c.claims,
        c.last_processed_on,
        c.last_of_all_cases_on,
        c.paid,
        c.owed,
        c.prepaid,
        c.credit,
        LEAST(
            c.credit,
            c.credit_of_all_cases + c.credit - SUM(c.credit) OVER (
                PARTITION BY c.patient_id
                ORDER BY c.last_processed_on, LPAD(c.case_id, 64, '0'), c.case_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            )
        ) AS amount,
    FROM credits AS c
    WHERE c.credit_of_all_cases > CAST($min_amount AS DECIMAL(12, 2))
)

SELECT
    r.case_id AS subject_id,
    r.case_id,
    r.patient_id,
    r.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    GREATEST(
        r.last_processed_on + $review_days,
        r.last_of_all_cases_on,
        COALESCE(d.credited_on, r.last_of_all_cases_on)
    ) AS since,
    CAST(r.amount AS DECIMAL(12, 2)) AS amount,
    '$' || CAST(CAST(r.paid AS DECIMAL(12, 2)) AS VARCHAR) || ' paid, $'
    || CAST(CAST(r.owed AS DECIMAL(12, 2)) AS VARCHAR)
    || ' owed; claims processed: ' || CAST(r.claims AS VARCHAR)
    || ', the last on ' || CAST(r.last_processed_on AS VARCHAR)
    || CASE
        WHEN r.prepaid > 0
            THEN
                '; $' || CAST(CAST(r.prepaid AS DECIMAL(12, 2)) AS VARCHAR)
                || ' is for visits ahead or without an amount due'
        ELSE ''
    END
    || CASE
        WHEN r.amount < r.credit
            THEN
                '; $' || CAST(CAST(r.credit - r.amount AS DECIMAL(12, 2)) AS VARCHAR)
                || ' is owed in other cases'
        ELSE ''
    END AS reason,
FROM refunds AS r
LEFT JOIN first_days_of_credit AS d ON r.patient_id = d.patient_id
WHERE r.amount > 0;

/* unseen */
SELECT DISTINCT k.case_id AS subject_id,
FROM staging.cases AS k
INNER JOIN staging.cases AS e ON k.patient_id = e.patient_id
WHERE
    e.opened_on < GREATEST(
        CAST($appointments_since AS DATE),
        CAST($claims_since AS DATE),
        CAST($payments_since AS DATE)
    )
