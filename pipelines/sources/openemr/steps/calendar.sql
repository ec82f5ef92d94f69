-- How far ahead recurring appointments are written out.
SELECT
    CAST($as_of AS DATE) AS today,
    CAST($as_of AS DATE) + 90 AS horizon_on,
