-- The parameters that the previous run applied, as JSON text.
SELECT r.parameters,
FROM previous.runs AS r
ORDER BY r.run_no DESC
LIMIT 1
