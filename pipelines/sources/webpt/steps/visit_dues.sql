-- What was to be paid for each case and day: its transactions, paid or not.
WITH dated AS (
    SELECT
        t.case_id,
        CAST(
            COALESCE(
                TRY_STRPTIME(TRIM(t.visit_date), ['%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y']),
                TRY_CAST(TRIM(t.visit_date) AS TIMESTAMP)
            ) AS DATE
        ) AS visit_on,
        TRY_CAST(t.dollar_amount_paid AS DECIMAL(12, 2)) AS amount,
    FROM source.transactions AS t
    WHERE
        COALESCE(LOWER(TRIM(t.txn_status)), '') NOT IN ('refund', 'refunded', 'void', 'voided')
)

SELECT
    d.case_id,
    d.visit_on,
    CAST(SUM(d.amount) AS DECIMAL(12, 2)) AS due,
FROM dated AS d
GROUP BY d.case_id, d.visit_on
