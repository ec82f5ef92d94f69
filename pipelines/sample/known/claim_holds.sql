SELECT
    h.hold_id,
    h.claim_id,
    h.reason_code,
    h.reason,
    h.held_at,
    CASE WHEN h.released_at <= c.now_at THEN h.released_at END AS released_at,
FROM facts_claim_holds AS h
INNER JOIN facility_list AS c ON h.facility_id = c.facility_id
WHERE h.held_at <= c.now_at
ORDER BY h.hold_id
