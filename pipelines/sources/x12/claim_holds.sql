/* A claim that a payer or clearing house sent back (277CA: A3, A6, A7, A8 of the claim or one of
   its lines) is held from that day until it is accepted (A1, A2, A5) or a remittance decides. */
WITH told AS (
    SELECT
        s.claim_id,
        s.category,
        s.code,
        s.message,
        s.category IN ('A3', 'A6', 'A7', 'A8') AS is_rejected,
        COALESCE(s.on_day, LEFT(s.sent_at, 10)) AS on_day,
        TRY_CAST(s.segment AS INTEGER) AS segment,
    FROM source.x12_statuses AS s
    WHERE
        s.level IN ('claim', 'line')
        AND s.category IN ('A1', 'A2', 'A3', 'A5', 'A6', 'A7', 'A8')
        AND s.claim_id IS NOT NULL
),

-- One hold for each claim and day, by the first thing that is wrong.
rejections AS (
    SELECT
        t.claim_id,
        t.on_day,
        ARG_MIN(t.category, t.segment) AS category,
        ARG_MIN(COALESCE(t.code, '-'), t.segment) AS code,
        ARG_MIN(COALESCE(t.message, ''), t.segment) AS message,
        BOOL_OR(t.code IN ('48', '252')) AS is_about_authorization,
    FROM told AS t
    WHERE t.is_rejected
    GROUP BY t.claim_id, t.on_day
),

ends AS (
    SELECT
        t.claim_id,
        t.on_day,
    FROM told AS t
    LEFT JOIN rejections AS same ON t.claim_id = same.claim_id AND t.on_day = same.on_day
    -- A claim may be accepted as a whole and have a rejected line on that day.
    WHERE NOT t.is_rejected AND same.claim_id IS NULL
    UNION ALL
    SELECT
        d.claim_id,
        d.decided_on AS on_day,
    FROM step.x12_decisions AS d
),

released AS (
    SELECT
        r.claim_id,
        r.on_day,
        MIN(e.on_day) AS released_on,
    FROM rejections AS r
    INNER JOIN ends AS e ON r.claim_id = e.claim_id AND r.on_day <= e.on_day
    GROUP BY r.claim_id, r.on_day
),

-- A second rejection takes the place of the first one.
later AS (
    SELECT
        r.claim_id,
        r.on_day,
        LEAD(r.on_day) OVER (PARTITION BY r.claim_id ORDER BY r.on_day) AS next_on,
    FROM rejections AS r
)

SELECT
    'x12-' || r.claim_id || '-' || r.on_day AS hold_id,
    r.claim_id,
    r.category || ':' || r.code
    || CASE WHEN r.is_about_authorization THEN ' AUTH' ELSE '' END AS reason_code,
    'Sent back ('
    || CASE r.category
        WHEN 'A3' THEN 'cannot be processed'
        WHEN 'A6' THEN 'information is missing'
        WHEN 'A7' THEN 'information is not valid'
        ELSE 'information contradicts itself'
    END
    || ', status code ' || r.code || ')'
    || CASE WHEN r.message = '' THEN '' ELSE ': ' || r.message END AS reason,
    r.on_day AS held_at,
    LEAST(e.released_on, l.next_on) AS released_at,
FROM rejections AS r
LEFT JOIN released AS e ON r.claim_id = e.claim_id AND r.on_day = e.on_day
LEFT JOIN later AS l ON r.claim_id = l.claim_id AND r.on_day = l.on_day
