-- The payers, by name.
SELECT
    p.payer_id,
    p.name,
FROM staging.payers AS p
ORDER BY p.name, LPAD(p.payer_id, 64, '0'), p.payer_id
