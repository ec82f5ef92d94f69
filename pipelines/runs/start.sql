-- By which go-live the newest run went, and which one it proposed.
SELECT
    r.go_live,
    r.history_days,
    r.proposed_go_live,
    r.old_tasks,
FROM runs AS r
ORDER BY r.run_no DESC
LIMIT 1
