-- For each filter, the values that have active tasks given the other filters, and how many.
WITH active AS (
    SELECT
        t.facility_id,
        r.category,
        t.rule_id,
        COALESCE(t.payer_id, 'self-pay') AS payer_id,
        COALESCE(t.assigned_to_id, t.rule_staff_id, 'unassigned') AS staff_id,
        ($facility_id IS NULL OR t.facility_id = $facility_id) AS is_facility,
        ($category IS NULL OR r.category = $category) AS is_category,
        ($rule_id IS NULL OR t.rule_id = $rule_id) AS is_rule,
        ($payer_id IS NULL OR COALESCE(t.payer_id, 'self-pay') = $payer_id) AS is_payer,
        ($staff_id IS NULL OR COALESCE(t.assigned_to_id, t.rule_staff_id, 'unassigned') = $staff_id) AS is_staff,
    FROM current_tasks AS t
    INNER JOIN rules AS r ON t.rule_id = r.rule_id
    WHERE
        t.state = 'open'
        AND t.opened_at <= $at
        AND (t.deferred_until IS NULL OR t.deferred_until <= $at)
        AND ($patient_id IS NULL OR t.patient_id = $patient_id)
)

SELECT
    'facility' AS filter,
    a.facility_id AS choice,
    COUNT(*) AS tasks,
FROM active AS a
WHERE a.is_category AND a.is_rule AND a.is_payer AND a.is_staff
GROUP BY a.facility_id
UNION ALL
SELECT
    'category' AS filter,
    a.category AS choice,
    COUNT(*) AS tasks,
FROM active AS a
WHERE a.is_facility AND a.is_rule AND a.is_payer AND a.is_staff
GROUP BY a.category
UNION ALL
SELECT
    'type' AS filter,
    a.rule_id AS choice,
    COUNT(*) AS tasks,
FROM active AS a
WHERE a.is_facility AND a.is_category AND a.is_payer AND a.is_staff
GROUP BY a.rule_id
UNION ALL
SELECT
    'payer' AS filter,
    a.payer_id AS choice,
    COUNT(*) AS tasks,
FROM active AS a
WHERE a.is_facility AND a.is_category AND a.is_rule AND a.is_staff
GROUP BY a.payer_id
UNION ALL
SELECT
    'staff' AS filter,
    a.staff_id AS choice,
    COUNT(*) AS tasks,
FROM active AS a
WHERE a.is_facility AND a.is_category AND a.is_rule AND a.is_payer
GROUP BY a.staff_id
ORDER BY filter, choice
