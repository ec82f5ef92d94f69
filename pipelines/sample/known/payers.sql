SELECT
    p.payer_id,
    p.name,
    p.kind,
FROM payer_list AS p
ORDER BY p.payer_id
