-- The days whose one claim was answered in the run before, and those with another answer now.
WITH claims_now AS (
    SELECT
        cl.case_id,
        cl.account_on,
        COUNT(*) AS claims,
        SUM(cl.left_to_patient) AS adjudicated,
    FROM staging.claims AS cl
    GROUP BY cl.case_id, cl.account_on
)

SELECT
    COUNT(*) AS answered,
    COUNT(CASE WHEN n.adjudicated IS DISTINCT FROM e.adjudicated THEN 1 END) AS others,
FROM previous.staging.accounts AS e
INNER JOIN claims_now AS n ON e.case_id = n.case_id AND e.date_of_service = n.account_on
WHERE e.claims = 1 AND n.claims = 1 AND e.adjudicated IS NOT NULL
