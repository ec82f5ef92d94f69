-- The payers, by name.
SELECT
    p.payer_id,
    p.name,
FROM staging.payers AS p
ORDER BY p.name, p.payer_id
