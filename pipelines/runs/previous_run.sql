-- The newest run in the snapshot `previous`, and the number of its newest event.
SELECT
    r.run_no,
    r.as_of,
    r.folded_seq,
    (SELECT COALESCE(MAX(e.event_no), 0), FROM previous.events AS e) AS last_event_no,
FROM previous.runs AS r
ORDER BY r.run_no DESC
LIMIT 1
