SELECT
    p.payer_id,
    COALESCE(p.name, p.payer_id) AS name,
    p.kind,
FROM extract.payers AS p
