-- One row per case and date of service: what was due at the visits, what the payer left to the
-- patient, and what was paid. The row without a date of service has the money that names no date.
WITH visit_days AS (
    SELECT
        a.case_id,
        a.visit_on,
        COUNT(*) AS visits,
        CAST(SUM(a.amount_due) AS DECIMAL(18, 2)) AS due,
    FROM staging.appointments AS a
    WHERE a.has_happened AND a.amount_due > 0
    GROUP BY a.case_id, a.visit_on
),

claim_days AS (
    SELECT
        cl.case_id,
        cl.account_on,
        COUNT(*) AS claims,
        COUNT(cl.appointment_id) AS claims_naming_a_visit,
        COUNT(cl.left_to_patient) AS claims_known,
        CAST(SUM(cl.left_to_patient) AS DECIMAL(18, 2)) AS left_to_patient,
        MAX(cl.processed_on) AS last_processed_on,
    FROM staging.claims AS cl
    GROUP BY cl.case_id, cl.account_on
),

-- Where a second payer answers for the same visit, its answer replaces the first one's.
policy_claims AS (
    SELECT
        cl.case_id,
        cl.account_on,
        cl.appointment_id,
        cl.policy_id,
        SUM(cl.left_to_patient) AS left_to_patient,
    FROM staging.claims AS cl
    INNER JOIN claim_days AS c
        ON cl.case_id = c.case_id AND cl.account_on = c.account_on AND c.claims > 1
    GROUP BY cl.case_id, cl.account_on, cl.appointment_id, cl.policy_id
),

visit_claims AS (
    SELECT
        p.case_id,
        p.account_on,
        p.appointment_id,
        MIN(p.left_to_patient) AS left_to_patient,
    FROM policy_claims AS p
    GROUP BY p.case_id, p.account_on, p.appointment_id
),

coordinated_days AS (
    SELECT
        v.case_id,
        v.account_on,
        SUM(v.left_to_patient) AS left_to_patient,
    FROM visit_claims AS v
    GROUP BY v.case_id, v.account_on
),

-- Of several visits on one date, those that no claim names are the patient's own to pay.
unclaimed_days AS (
    SELECT
        a.case_id,
        a.visit_on,
        CAST(SUM(a.amount_due) AS DECIMAL(18, 2)) AS due,
    FROM staging.appointments AS a
    INNER JOIN visit_days AS v
        ON a.case_id = v.case_id AND a.visit_on = v.visit_on AND v.visits > 1
    INNER JOIN claim_days AS c
        ON
            a.case_id = c.case_id
            AND a.visit_on = c.account_on
            AND c.claims = c.claims_naming_a_visit
    LEFT JOIN staging.claims AS cl ON a.appointment_id = cl.appointment_id
    WHERE a.has_happened AND a.amount_due > 0 AND cl.claim_id IS NULL
    GROUP BY a.case_id, a.visit_on
),

paid_days AS (
    SELECT
        p.case_id,
        p.date_of_service,
        CAST(
            SUM(CASE WHEN p.kind = 'refund' THEN 0 ELSE p.net_amount END) AS DECIMAL(18, 2)
        ) AS paid,
        CAST(
            -SUM(CASE WHEN p.kind = 'refund' THEN p.net_amount ELSE 0 END) AS DECIMAL(18, 2)
        ) AS refunded,
    FROM staging.payments AS p
    GROUP BY p.case_id, p.date_of_service
),

charged_days AS (
    SELECT
        COALESCE(v.case_id, c.case_id) AS case_id,
        COALESCE(v.visit_on, c.account_on) AS date_of_service,
        v.visits,
        v.due,
        COALESCE(u.due, 0) AS unclaimed_due,
        c.claims,
        c.claims - c.claims_known AS claims_unknown,
        CASE
            WHEN c.claims = c.claims_known THEN COALESCE(d.left_to_patient, c.left_to_patient)
        END AS adjudicated,
        c.last_processed_on,
    FROM visit_days AS v
    FULL OUTER JOIN claim_days AS c ON v.case_id = c.case_id AND v.visit_on = c.account_on
    LEFT JOIN coordinated_days AS d ON c.case_id = d.case_id AND c.account_on = d.account_on
    LEFT JOIN unclaimed_days AS u ON c.case_id = u.case_id AND c.account_on = u.visit_on
),

accounts AS (
    SELECT
        COALESCE(d.case_id, p.case_id) AS case_id,
        COALESCE(d.date_of_service, p.date_of_service) AS date_of_service,
        COALESCE(d.visits, 0) AS visits,
        COALESCE(d.due, 0) AS due,
        COALESCE(d.claims, 0) AS claims,
        COALESCE(d.claims_unknown, 0) AS claims_unknown,
        d.last_processed_on,
        d.adjudicated,
        COALESCE(d.adjudicated + d.unclaimed_due, d.due, 0) AS owed,
        COALESCE(p.paid, 0) AS paid,
        COALESCE(p.refunded, 0) AS refunded,
    FROM charged_days AS d
    FULL OUTER JOIN paid_days AS p
        ON d.case_id = p.case_id AND d.date_of_service = p.date_of_service
)

SELECT
    a.case_id,
    a.date_of_service,
    CAST(a.visits AS INTEGER) AS visits,
    CAST(a.due AS DECIMAL(18, 2)) AS due,
    CAST(a.claims AS INTEGER) AS claims,
    -- Claims that are not processed, or do not say what they leave to the patient.
    CAST(a.claims_unknown AS INTEGER) AS claims_unknown,
    a.last_processed_on,
    CAST(a.adjudicated AS DECIMAL(18, 2)) AS adjudicated,
    -- What the payer's answer makes of it, else what was due.
    CAST(a.owed AS DECIMAL(18, 2)) AS owed,
    CAST(a.paid AS DECIMAL(18, 2)) AS paid,
    CAST(a.refunded AS DECIMAL(18, 2)) AS refunded,
FROM accounts AS a
