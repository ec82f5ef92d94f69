-- How many tasks are open, and how many of them fell due more than so many days ago.
SELECT
    COUNT(*) AS tasks,
    COUNT(*) FILTER (WHERE t.since < f.today - $days) AS old_tasks,
    MAX(f.today) AS today,
FROM snapshot.tasks AS t
INNER JOIN staging.facilities AS f ON t.facility_id = f.facility_id
WHERE t.state = 'open'
