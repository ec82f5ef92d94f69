/* What the payers left to the patient for each note, and when the last of them had answered.
   RevFlow knows the patient's account and the day, not the note: of two notes on one day, and of
   a day with a charge that no payer answered, nothing is known. */
WITH answers AS (
    SELECT
        pa.charge_id,
        SUM(TRY_CAST(pa.patient_responsible_amount AS DECIMAL(12, 2))) AS patient_responsibility,
        MAX(
            COALESCE(
                TRY_STRPTIME(TRIM(pa.post_date), ['%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y']),
                TRY_CAST(TRIM(pa.post_date) AS TIMESTAMP)
            )
        ) AS posted_at,
    FROM source.payment_adjustments AS pa
    GROUP BY pa.charge_id
),

billed AS (
    SELECT
        bc.patient_account_number,
        bc.charge_id,
        CAST(
            COALESCE(
                TRY_STRPTIME(TRIM(bc.date_of_service), ['%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y']),
                TRY_CAST(TRIM(bc.date_of_service) AS TIMESTAMP)
            ) AS DATE
        ) AS service_on,
    FROM source.billing_charges AS bc
    -- A payer's overpayment: $0 with a negative balance, no charge.
    WHERE UPPER(TRIM(bc.cpt_code)) <> 'INSOVER'
),

days AS (
    SELECT
        b.patient_account_number,
        b.service_on,
        SUM(a.patient_responsibility) AS patient_responsibility,
        MAX(a.posted_at) AS processed_at,
    FROM billed AS b
    LEFT JOIN answers AS a ON b.charge_id = a.charge_id
    GROUP BY b.patient_account_number, b.service_on
    HAVING COUNT(*) = COUNT(a.patient_responsibility)
),

notes AS (
    SELECT DISTINCT
        c.visit_id,
        p.patient_account_number,
        CAST(
            COALESCE(
                TRY_STRPTIME(TRIM(c.visit_date), ['%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y']),
                TRY_CAST(TRIM(c.visit_date) AS TIMESTAMP)
            ) AS DATE
        ) AS service_on,
    FROM source.charges AS c
    INNER JOIN source.patients AS p ON c.patient_id = p.patient_id
),

counted_notes AS (
    SELECT
        n.visit_id,
        n.patient_account_number,
        n.service_on,
        COUNT(*) OVER (PARTITION BY n.patient_account_number, n.service_on) AS notes,
    FROM notes AS n
)

SELECT
    n.visit_id,
    CAST(d.patient_responsibility AS DECIMAL(12, 2)) AS patient_responsibility,
    d.processed_at,
FROM counted_notes AS n
INNER JOIN days AS d
    ON n.patient_account_number = d.patient_account_number AND n.service_on = d.service_on
WHERE n.notes = 1
