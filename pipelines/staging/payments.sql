-- A void names no entry. It takes back at most what its case and date of service held when it was
-- entered, so the groups with voids are computed entry by entry:
-- * a void after its payment undoes it;
-- * an EMR that turns the payment itself into a void leaves nothing to take back.
WITH RECURSIVE timed AS (
    SELECT
        p.payment_id,
        p.patient_id,
        p.case_id,
        p.date_of_service,
        -- Entries without a date of service form a group too; NULL would not join.
        COALESCE(p.date_of_service, DATE '0001-01-01') AS service_key,
        p.kind,
        p.amount,
        CASE
            WHEN p.paid_at_is_utc THEN p.paid_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE p.paid_at
        END AS paid_at,
    FROM extract.payments AS p
    LEFT JOIN staging.cases AS c ON p.case_id = c.case_id
    LEFT JOIN staging.facilities AS f ON c.facility_id = f.facility_id
),

void_groups AS (
    SELECT DISTINCT
        t.case_id,
        t.service_key,
    FROM timed AS t
    WHERE t.kind = 'void'
),

entries AS (
    SELECT
        t.payment_id,
        t.case_id,
        t.service_key,
        t.kind,
        t.amount,
        CASE t.kind
            WHEN 'payment' THEN t.amount
            WHEN 'refund' THEN -ABS(t.amount)
            ELSE 0
        END AS own_amount,
        ROW_NUMBER() OVER (
            PARTITION BY t.case_id, t.service_key
            ORDER BY
                t.paid_at,
                -- EMRs that keep only the day give a payment and its void the same time.
                CASE t.kind WHEN 'payment' THEN 1 WHEN 'refund' THEN 2 ELSE 3 END,
                LPAD(t.payment_id, 64, '0'),
                t.payment_id
        ) AS position,
    FROM timed AS t
    INNER JOIN void_groups AS g ON t.case_id = g.case_id AND t.service_key = g.service_key
),

walked AS (
    SELECT
        e.payment_id,
        e.case_id,
        e.service_key,
        e.position,
        CAST(e.own_amount AS DECIMAL(38, 2)) AS net_amount,
        CAST(e.own_amount AS DECIMAL(38, 2)) AS balance,
    FROM entries AS e
    WHERE e.position = 1
    UNION ALL
    SELECT
        e.payment_id,
        e.case_id,
        e.service_key,
        e.position,
        CAST(
            e.own_amount
            - CASE
                WHEN e.kind = 'void' THEN LEAST(ABS(e.amount), GREATEST(w.balance, 0))
                ELSE 0
            END
            AS DECIMAL(38, 2)
        ) AS net_amount,
        CAST(
            w.balance
            + e.own_amount
            - CASE
                WHEN e.kind = 'void' THEN LEAST(ABS(e.amount), GREATEST(w.balance, 0))
                ELSE 0
            END
            AS DECIMAL(38, 2)
        ) AS balance,
    FROM walked AS w
    INNER JOIN entries AS e
        ON
            w.case_id = e.case_id
            AND w.service_key = e.service_key
            AND w.position + 1 = e.position
)

SELECT
    t.payment_id,
    t.patient_id,
    t.case_id,
    t.date_of_service,
    t.kind,
    t.amount,
    t.paid_at,
    CAST(t.paid_at AS DATE) AS paid_on,
    CAST(
        COALESCE(
            w.net_amount,
            CASE t.kind WHEN 'payment' THEN t.amount ELSE -ABS(t.amount) END
        )
        AS DECIMAL(12, 2)
    ) AS net_amount,
FROM timed AS t
LEFT JOIN walked AS w ON t.payment_id = w.payment_id
