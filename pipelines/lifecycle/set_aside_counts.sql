-- How many tasks of each rule and facility were set aside, and since when the oldest is due.
SELECT
    s.rule_id,
    s.facility_id,
    COUNT(*) AS tasks,
    MIN(s.since) AS oldest_on,
FROM set_aside AS s
WHERE s.would_open
GROUP BY s.rule_id, s.facility_id
