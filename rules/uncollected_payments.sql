/* rule
title        = "Uncollected Payments"
category     = "Billing"
clears       = "auto"
clears_when  = "The matching payment is entered on the Payments page."
manual       = "allowed"
purpose      = "A balance was due at the visit and has not been collected."
resolve      = [
    "Open the patient's Payments; correct a payment with a missing or wrong date of service.",
    "Otherwise collect the balance at the next visit, by card on file, or by statement.",
    "Enter amount, date of service and payment type on the Payments page.",
]
links        = ["payments", "policies", "demographics"]
reads        = ["appointments", "claims", "payments"]
may_lack     = ["claims"]    # a practice without claims still asks for what was due at the visit
looks_back   = ["appointments", "claims", "payments"]    # all of the date of service
due_days     = 7    # the next visit, where it is easiest to collect, is usually within a week
ends_at_discharge = false    # the balance is still owed
subject_table = "appointments"
source       = "requirements: Billing Tasks; notes on the domain"

[params]
tolerance = 0.00    # dollars a payment may fall short
*/
SELECT
    u.appointment_id AS subject_id,
    u.case_id,
    u.patient_id,
    u.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    u.visit_on AS since,
    u.unpaid AS amount,
    '$' || CAST(u.unpaid AS VARCHAR) || ' of $' || CAST(u.owed AS VARCHAR)
    || ' unpaid for the visit on ' || CAST(u.visit_on AS VARCHAR)
    || CASE
        WHEN u.to_collect < u.due
            THEN
                '; the payer left $' || CAST(u.to_collect AS VARCHAR)
                || ' of $' || CAST(u.due AS VARCHAR) || ' to the patient'
        ELSE ''
    END
    || CASE
        WHEN m.paid > m.refunded
            THEN
                '; $' || CAST(m.paid - m.refunded AS VARCHAR)
                || ' is on the account without a date of service'
        ELSE ''
    END AS reason,
FROM staging.unpaid_visits AS u
LEFT JOIN staging.accounts AS m ON u.case_id = m.case_id AND m.date_of_service IS NULL
WHERE
    u.short > CAST($tolerance AS DECIMAL(12, 2))
    AND COALESCE(
        u.visit_on >= GREATEST(
            CAST($appointments_since AS DATE),
            CAST($claims_since AS DATE),
            CAST($payments_since AS DATE)
        ),
        TRUE
    );

/* unseen */
SELECT v.appointment_id AS subject_id,
FROM staging.appointments AS v
WHERE
    v.amount_due > 0
    AND v.visit_on < GREATEST(
        CAST($appointments_since AS DATE),
        CAST($claims_since AS DATE),
        CAST($payments_since AS DATE)
    );

/* evidence */
WITH visits AS (
    SELECT
        l.subject_id,
        l.amount AS unpaid,
        CAST(l.opened_at AT TIME ZONE f.time_zone AS DATE) AS opened_on,
        v.case_id,
        v.visit_on,
        v.status,
        v.amount_due,
        v.has_happened,
        b.case_id AS earlier_case_id,
        b.visit_on AS earlier_visit_on,
        b.status AS earlier_status,
        b.amount_due AS earlier_amount_due,
        a.visits,
        a.due,
        a.owed,
        a.last_processed_on,
        LEAST(a.owed, a.due) - a.paid + a.refunded AS short,
        o.due AS earlier_due,
        LEAST(o.owed, o.due) AS earlier_to_collect,
    FROM leaving AS l
    INNER JOIN staging.appointments AS v ON l.subject_id = v.appointment_id
    LEFT JOIN staging.facilities AS f ON l.facility_id = f.facility_id
    LEFT JOIN before.appointments AS b ON l.subject_id = b.appointment_id
    LEFT JOIN staging.accounts AS a ON v.case_id = a.case_id AND v.visit_on = a.date_of_service
    LEFT JOIN before.accounts AS o ON b.case_id = o.case_id AND b.visit_on = o.date_of_service
),

cases_left AS (
    SELECT DISTINCT v.case_id,
    FROM visits AS v
),

entries AS (
    SELECT
        p.payment_id,
        p.case_id,
        p.date_of_service,
        p.kind,
        p.paid_at,
        p.paid_on,
        p.net_amount,
    FROM staging.payments AS p
    INNER JOIN cases_left AS c ON p.case_id = c.case_id
),

earlier_entries AS (
    SELECT
        p.payment_id,
        p.case_id,
        p.date_of_service,
        p.kind,
        p.amount,
        p.paid_on,
        p.net_amount,
    FROM before.payments AS p
    INNER JOIN cases_left AS c ON p.case_id = c.case_id
),

-- What each entry brought to the visit's date since the run before.
changes AS (
    SELECT
        v.subject_id,
        e.payment_id,
        e.kind,
        e.paid_at,
        e.paid_on,
        e.net_amount,
        COALESCE(b.date_of_service <> v.visit_on, b.payment_id IS NOT NULL) AS is_moved,
        CASE WHEN b.date_of_service = v.visit_on THEN b.net_amount ELSE 0 END AS earlier_amount,
    FROM visits AS v
    INNER JOIN entries AS e ON v.case_id = e.case_id AND v.visit_on = e.date_of_service
    LEFT JOIN earlier_entries AS b ON e.payment_id = b.payment_id AND e.case_id = b.case_id
),

-- Refunds and voids that the visit's date no longer has, or has for less.
returns AS (
    SELECT
        v.subject_id,
        b.payment_id,
        b.kind,
        b.amount,
        ROW_NUMBER() OVER (
            PARTITION BY v.subject_id
            ORDER BY b.paid_on DESC, LPAD(b.payment_id, 64, '0') DESC, b.payment_id DESC
        ) AS newest,
    FROM visits AS v
    INNER JOIN earlier_entries AS b ON v.case_id = b.case_id AND v.visit_on = b.date_of_service
    LEFT JOIN entries AS e
        ON
            b.payment_id = e.payment_id
            AND b.case_id = e.case_id
            AND b.date_of_service = e.date_of_service
    WHERE b.net_amount < COALESCE(e.net_amount, 0) AND b.kind <> 'payment'
),

earlier_money AS (
    SELECT
        v.subject_id,
        SUM(b.net_amount) AS net_amount,
    FROM visits AS v
    INNER JOIN earlier_entries AS b ON v.case_id = b.case_id AND v.visit_on = b.date_of_service
    GROUP BY v.subject_id
),

gains AS (
    SELECT
        c.subject_id,
        SUM(c.net_amount) AS net_amount,
        COUNT(*) FILTER (WHERE c.kind = 'payment' AND c.net_amount > c.earlier_amount) AS payments,
        SUM(c.net_amount - c.earlier_amount) FILTER (
            WHERE c.kind = 'payment' AND c.net_amount > c.earlier_amount
        ) AS paid,
    FROM changes AS c
    GROUP BY c.subject_id
),

new_payments AS (
    SELECT
        c.subject_id,
        c.payment_id,
        c.paid_on,
        c.net_amount,
        c.is_moved,
        c.earlier_amount,
        ROW_NUMBER() OVER (
            PARTITION BY c.subject_id
            ORDER BY c.paid_at DESC, LPAD(c.payment_id, 64, '0') DESC, c.payment_id DESC
        ) AS newest,
    FROM changes AS c
    WHERE c.kind = 'payment' AND c.net_amount > c.earlier_amount
),

paid_visits AS (
    SELECT
        n.subject_id,
        n.payment_id,
        n.paid_on,
        CAST(g.paid AS DECIMAL(12, 2)) AS amount,
        CASE
            WHEN g.payments > 1
                THEN
                    '$' || CAST(CAST(g.paid AS DECIMAL(12, 2)) AS VARCHAR) || ' paid in '
                    || CAST(g.payments AS VARCHAR) || ' payments, the last on '
                    || CAST(n.paid_on AS VARCHAR) || ', payment ' || n.payment_id
            WHEN n.earlier_amount > 0
                THEN
                    'payment ' || n.payment_id || ' of ' || CAST(n.paid_on AS VARCHAR)
                    || ' corrected from $'
                    || CAST(CAST(n.earlier_amount AS DECIMAL(12, 2)) AS VARCHAR)
                    || ' to $'
                    || CAST(n.net_amount AS VARCHAR)
            WHEN n.is_moved
                THEN
                    '$' || CAST(n.net_amount AS VARCHAR) || ' of ' || CAST(n.paid_on AS VARCHAR)
                    || ' given this date of service, payment ' || n.payment_id
            ELSE
                '$' || CAST(n.net_amount AS VARCHAR) || ' paid on ' || CAST(n.paid_on AS VARCHAR)
                || ', payment ' || n.payment_id
        END AS says,
    FROM new_payments AS n
    INNER JOIN gains AS g ON n.subject_id = g.subject_id
    LEFT JOIN earlier_money AS m ON n.subject_id = m.subject_id
    WHERE n.newest = 1 AND g.net_amount > COALESCE(m.net_amount, 0)
),

-- Payments that came while the question could not be answered: the run before has them, too.
late_payments AS (
    SELECT
        v.subject_id,
        e.payment_id,
        e.paid_on,
        e.net_amount,
        ROW_NUMBER() OVER (
            PARTITION BY v.subject_id
            ORDER BY e.paid_at DESC, LPAD(e.payment_id, 64, '0') DESC, e.payment_id DESC
        ) AS newest,
    FROM visits AS v
    INNER JOIN entries AS e ON v.case_id = e.case_id AND v.visit_on = e.date_of_service
    WHERE
        e.kind = 'payment'
        AND v.short < v.unpaid
        AND (e.paid_on >= v.opened_on OR v.unpaid >= v.amount_due)
),

answers AS (
    SELECT
        v.subject_id,
        cl.claim_id,
        ROW_NUMBER() OVER (
            PARTITION BY v.subject_id
            ORDER BY cl.processed_at DESC, LPAD(cl.claim_id, 64, '0') DESC, cl.claim_id DESC
        ) AS newest,
    FROM visits AS v
    INNER JOIN staging.claims AS cl ON v.case_id = cl.case_id AND v.visit_on = cl.account_on
    WHERE cl.left_to_patient IS NOT NULL
),

-- Another visit of the same date that starts at another time now takes the money in its turn.
reordered_days AS (
    SELECT DISTINCT v.subject_id,
    FROM visits AS v
    INNER JOIN staging.appointments AS s ON v.case_id = s.case_id AND v.visit_on = s.visit_on
    INNER JOIN before.appointments AS b ON s.appointment_id = b.appointment_id
    WHERE
        v.visits > 1
        AND v.unpaid > CAST($tolerance AS DECIMAL(12, 2))
        AND s.starts_at <> b.starts_at
),

causes AS (
    SELECT
        v.subject_id,
        CASE
            WHEN p.subject_id IS NOT NULL THEN 'paid'
            WHEN v.status IN ('Cancelled', 'No Show') THEN 'status'
            WHEN NOT v.has_happened AND v.visit_on <> v.earlier_visit_on THEN 'moved'
            WHEN NOT v.has_happened THEN 'status'
            WHEN COALESCE(v.amount_due, 0) <= 0 THEN 'amount'
            WHEN v.visit_on <> v.earlier_visit_on THEN 'moved'
            WHEN v.case_id <> v.earlier_case_id THEN 'case'
            WHEN v.amount_due < v.earlier_amount_due THEN 'amount'
            WHEN v.owed < v.due AND v.owed < COALESCE(v.earlier_to_collect, v.due) THEN 'claim'
            WHEN v.due < v.earlier_due OR d.subject_id IS NOT NULL THEN 'other visit'
            WHEN r.subject_id IS NOT NULL THEN 'return'
            WHEN t.subject_id IS NOT NULL THEN 'paid late'
            WHEN v.short < v.unpaid AND v.owed < v.due THEN 'claim'
            WHEN v.short < v.unpaid THEN 'late'
        END AS cause,
    FROM visits AS v
    LEFT JOIN paid_visits AS p ON v.subject_id = p.subject_id
    LEFT JOIN returns AS r ON v.subject_id = r.subject_id AND r.newest = 1
    LEFT JOIN reordered_days AS d ON v.subject_id = d.subject_id
    LEFT JOIN late_payments AS t ON v.subject_id = t.subject_id AND t.newest = 1
)

SELECT
    v.subject_id,
    c.cause IN ('paid', 'paid late') AS is_work,
    CASE c.cause
        WHEN 'paid' THEN 'payments'
        WHEN 'paid late' THEN 'payments'
        WHEN 'return' THEN 'payments'
        WHEN 'claim' THEN 'claims'
        ELSE 'appointments'
    END AS record_table,
    CASE c.cause
        WHEN 'paid' THEN p.payment_id
        WHEN 'paid late' THEN t.payment_id
        WHEN 'return' THEN r.payment_id
        WHEN 'claim' THEN k.claim_id
        ELSE v.subject_id
    END AS record_id,
    CASE c.cause
        WHEN 'paid' THEN p.paid_on
        WHEN 'paid late' THEN t.paid_on
        WHEN 'claim' THEN v.last_processed_on
    END AS happened_on,
    CAST(
        CASE c.cause
            WHEN 'paid' THEN p.amount
            WHEN 'paid late' THEN t.net_amount
            WHEN 'return' THEN r.amount
            WHEN 'claim' THEN v.owed
            WHEN 'amount' THEN COALESCE(v.amount_due, 0)
        END AS DECIMAL(12, 2)
    ) AS amount,
    CASE c.cause
        WHEN 'paid' THEN p.says
        WHEN 'paid late'
            THEN
                '$' || CAST(t.net_amount AS VARCHAR) || ' paid on ' || CAST(t.paid_on AS VARCHAR)
                || ', payment ' || t.payment_id
        WHEN 'status'
            THEN
                'the visit on ' || CAST(v.visit_on AS VARCHAR) || ' is now ' || v.status
                || COALESCE(', was ' || NULLIF(v.earlier_status, v.status), '')
        WHEN 'moved'
            THEN
                'the visit moved from ' || CAST(v.earlier_visit_on AS VARCHAR) || ' to '
                || CAST(v.visit_on AS VARCHAR)
                || CASE WHEN v.has_happened THEN ', where nothing is unpaid' ELSE '' END
        WHEN 'case'
            THEN 'the visit moved from case ' || v.earlier_case_id || ' to case ' || v.case_id
        WHEN 'amount'
            THEN
                'the amount due changed'
                || COALESCE(
                    ' from $' || CAST(NULLIF(v.earlier_amount_due, v.amount_due) AS VARCHAR), ''
                )
                || ' to ' || COALESCE('$' || CAST(v.amount_due AS VARCHAR), 'none')
        WHEN 'claim'
            THEN
                'the payer left $' || CAST(v.owed AS VARCHAR) || ' of $' || CAST(v.due AS VARCHAR)
                || ' to the patient' || COALESCE(', claim ' || k.claim_id, '')
        WHEN 'other visit'
            THEN
                'another visit on ' || CAST(v.visit_on AS VARCHAR)
                || ' changed, and what was paid covers this one first'
        WHEN 'return'
            THEN
                'the ' || r.kind || ' of $' || CAST(r.amount AS VARCHAR)
                || ' was taken back, ' || r.kind || ' ' || r.payment_id
        WHEN 'late'
            THEN
                'what was due or paid for the visit on ' || CAST(v.visit_on AS VARCHAR)
                || ' changed while a run could not answer'
    END AS says,
FROM visits AS v
INNER JOIN causes AS c ON v.subject_id = c.subject_id
LEFT JOIN paid_visits AS p ON v.subject_id = p.subject_id
LEFT JOIN returns AS r ON v.subject_id = r.subject_id AND r.newest = 1
LEFT JOIN late_payments AS t ON v.subject_id = t.subject_id AND t.newest = 1
LEFT JOIN answers AS k ON v.subject_id = k.subject_id AND k.newest = 1
WHERE c.cause IS NOT NULL
