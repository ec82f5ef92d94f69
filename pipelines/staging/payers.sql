SELECT
    p.payer_id,
    p.name,
    p.kind,
FROM extract.payers AS p
