-- For each filter, the values that have tasks given the other filters, and how many. `matching` leaves these six filters out.
-- As there, a line whose filter is not given is left out.
WITH narrow AS MATERIALIZED (
    SELECT
        t.facility_id,
        t.category,
        t.rule_id,
        t.payer_key,
        t.staff_key,
        t.age_band,
        t.tasks,
    FROM matching AS t
)

SELECT
    'facility' AS filter,
    t.facility_id AS choice,
    CAST(SUM(t.tasks) AS BIGINT) AS tasks,
FROM narrow AS t
WHERE
    TRUE
    AND LIST_CONTAINS($chosen_categories, t.category)
    AND LIST_CONTAINS($chosen_rule_ids, t.rule_id)
    AND LIST_CONTAINS($chosen_payer_ids, t.payer_key)
    AND LIST_CONTAINS($chosen_staff_ids, t.staff_key)
    AND LIST_CONTAINS($chosen_age_bands, t.age_band)
GROUP BY t.facility_id
HAVING SUM(t.tasks) > 0
UNION ALL
SELECT
    'category' AS filter,
    t.category AS choice,
    CAST(SUM(t.tasks) AS BIGINT) AS tasks,
FROM narrow AS t
WHERE
    TRUE
    AND LIST_CONTAINS($chosen_facility_ids, t.facility_id)
    AND LIST_CONTAINS($chosen_rule_ids, t.rule_id)
    AND LIST_CONTAINS($chosen_payer_ids, t.payer_key)
    AND LIST_CONTAINS($chosen_staff_ids, t.staff_key)
    AND LIST_CONTAINS($chosen_age_bands, t.age_band)
GROUP BY t.category
HAVING SUM(t.tasks) > 0
UNION ALL
SELECT
    'type' AS filter,
    t.rule_id AS choice,
    CAST(SUM(t.tasks) AS BIGINT) AS tasks,
FROM narrow AS t
WHERE
    TRUE
    AND LIST_CONTAINS($chosen_facility_ids, t.facility_id)
    AND LIST_CONTAINS($chosen_categories, t.category)
    AND LIST_CONTAINS($chosen_payer_ids, t.payer_key)
    AND LIST_CONTAINS($chosen_staff_ids, t.staff_key)
    AND LIST_CONTAINS($chosen_age_bands, t.age_band)
GROUP BY t.rule_id
HAVING SUM(t.tasks) > 0
UNION ALL
SELECT
    'payer' AS filter,
    t.payer_key AS choice,
    CAST(SUM(t.tasks) AS BIGINT) AS tasks,
FROM narrow AS t
WHERE
    TRUE
    AND LIST_CONTAINS($chosen_facility_ids, t.facility_id)
    AND LIST_CONTAINS($chosen_categories, t.category)
    AND LIST_CONTAINS($chosen_rule_ids, t.rule_id)
    AND LIST_CONTAINS($chosen_staff_ids, t.staff_key)
    AND LIST_CONTAINS($chosen_age_bands, t.age_band)
GROUP BY t.payer_key
HAVING SUM(t.tasks) > 0
UNION ALL
SELECT
    'staff' AS filter,
    t.staff_key AS choice,
    CAST(SUM(t.tasks) AS BIGINT) AS tasks,
FROM narrow AS t
WHERE
    TRUE
    AND LIST_CONTAINS($chosen_facility_ids, t.facility_id)
    AND LIST_CONTAINS($chosen_categories, t.category)
    AND LIST_CONTAINS($chosen_rule_ids, t.rule_id)
    AND LIST_CONTAINS($chosen_payer_ids, t.payer_key)
    AND LIST_CONTAINS($chosen_age_bands, t.age_band)
GROUP BY t.staff_key
HAVING SUM(t.tasks) > 0
UNION ALL
SELECT
    'age' AS filter,
    t.age_band AS choice,
    CAST(SUM(t.tasks) AS BIGINT) AS tasks,
FROM narrow AS t
WHERE
    TRUE
    AND LIST_CONTAINS($chosen_facility_ids, t.facility_id)
    AND LIST_CONTAINS($chosen_categories, t.category)
    AND LIST_CONTAINS($chosen_rule_ids, t.rule_id)
    AND LIST_CONTAINS($chosen_payer_ids, t.payer_key)
    AND LIST_CONTAINS($chosen_staff_ids, t.staff_key)
GROUP BY t.age_band
HAVING SUM(t.tasks) > 0
