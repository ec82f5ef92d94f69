-- For each filter, the values that have tasks given the other filters, and how many. `matching` leaves these six filters out.
WITH flagged AS (
    SELECT
        t.facility_id,
        t.category,
        t.rule_id,
        t.payer_key,
        t.staff_key,
        t.age_band,
        (CAST($chosen_facility_ids AS VARCHAR[]) IS NULL OR t.facility_id = ANY(CAST($chosen_facility_ids AS VARCHAR[]))) AS is_facility,
        (CAST($chosen_categories AS VARCHAR[]) IS NULL OR t.category = ANY(CAST($chosen_categories AS VARCHAR[]))) AS is_category,
        (CAST($chosen_rule_ids AS VARCHAR[]) IS NULL OR t.rule_id = ANY(CAST($chosen_rule_ids AS VARCHAR[]))) AS is_type,
        (CAST($chosen_payer_ids AS VARCHAR[]) IS NULL OR t.payer_key = ANY(CAST($chosen_payer_ids AS VARCHAR[]))) AS is_payer,
        (CAST($chosen_staff_ids AS VARCHAR[]) IS NULL OR t.staff_key = ANY(CAST($chosen_staff_ids AS VARCHAR[]))) AS is_staff,
        (CAST($chosen_age_bands AS VARCHAR[]) IS NULL OR t.age_band = ANY(CAST($chosen_age_bands AS VARCHAR[]))) AS is_age,
    FROM matching AS t
)

SELECT
    'facility' AS filter,
    a.facility_id AS choice,
    COUNT(*) AS tasks,
FROM flagged AS a
WHERE a.is_category AND a.is_type AND a.is_payer AND a.is_staff AND a.is_age
GROUP BY a.facility_id
UNION ALL
SELECT
    'category' AS filter,
    a.category AS choice,
    COUNT(*) AS tasks,
FROM flagged AS a
WHERE a.is_facility AND a.is_type AND a.is_payer AND a.is_staff AND a.is_age
GROUP BY a.category
UNION ALL
SELECT
    'type' AS filter,
    a.rule_id AS choice,
    COUNT(*) AS tasks,
FROM flagged AS a
WHERE a.is_facility AND a.is_category AND a.is_payer AND a.is_staff AND a.is_age
GROUP BY a.rule_id
UNION ALL
SELECT
    'payer' AS filter,
    a.payer_key AS choice,
    COUNT(*) AS tasks,
FROM flagged AS a
WHERE a.is_facility AND a.is_category AND a.is_type AND a.is_staff AND a.is_age
GROUP BY a.payer_key
UNION ALL
SELECT
    'staff' AS filter,
    a.staff_key AS choice,
    COUNT(*) AS tasks,
FROM flagged AS a
WHERE a.is_facility AND a.is_category AND a.is_type AND a.is_payer AND a.is_age
GROUP BY a.staff_key
UNION ALL
SELECT
    'age' AS filter,
    a.age_band AS choice,
    COUNT(*) AS tasks,
FROM flagged AS a
WHERE a.is_facility AND a.is_category AND a.is_type AND a.is_payer AND a.is_staff
GROUP BY a.age_band
