-- Each completed plan of care with what decides its certification.
WITH plans AS (
    SELECT
        d.document_id,
        d.case_id,
        d.patient_id,
        d.date_of_service,
        d.visit_on,
        ROW_NUMBER() OVER (
            PARTITION BY d.case_id
            ORDER BY d.visit_on, d.started_at, LPAD(d.document_id, 64, '0'), d.document_id
        ) = 1 AS is_initial,
    FROM staging.documents AS d
    WHERE d.has_plan_of_care AND d.status = 'Completed'
),

-- The first plan covers its case from the evaluation on, a later one from its own visit on.
clocks AS (
    SELECT
        p.document_id,
        MIN(a.visit_on) AS first_treated_on,
    FROM plans AS p
    INNER JOIN staging.appointments AS a
        ON p.case_id = a.case_id AND (p.is_initial OR p.visit_on <= a.visit_on)
    WHERE a.has_happened
    GROUP BY p.document_id
),

payers AS (
    SELECT
        p.document_id,
        y.kind,
        ROW_NUMBER() OVER (
            PARTITION BY p.document_id
            ORDER BY
                CASE WHEN o.case_id IS NULL THEN 1 ELSE 0 END ASC,
                COALESCE(o.starts_on, DATE '1900-01-01') DESC,
                LPAD(o.policy_id, 64, '0') ASC,
                o.policy_id ASC
        ) AS choice,
    FROM plans AS p
    INNER JOIN staging.policies AS o
        ON
            p.patient_id = o.patient_id
            AND (o.case_id IS NULL OR p.case_id = o.case_id)
            AND o.rank = 1
            AND COALESCE(o.starts_on, p.visit_on) <= p.visit_on
            AND COALESCE(o.ends_on, p.visit_on) >= p.visit_on
    INNER JOIN staging.payers AS y ON o.payer_id = y.payer_id
)

SELECT
    p.document_id,
    p.is_initial,
    -- The signed order and the plan sent in time certify an initial plan without a signature.
    p.is_initial AND c.order_signed_on IS NOT NULL AS is_ordered,
    c.order_signed_on,
    -- The day from which on its first visit is looked for.
    CASE WHEN p.is_initial THEN c.opened_on ELSE p.visit_on END AS treated_from,
    -- An evaluation that is on no schedule was a visit, too.
    COALESCE(k.first_treated_on, p.date_of_service) AS first_treated_on,
    y.kind AS payer_kind,
FROM plans AS p
LEFT JOIN staging.cases AS c ON p.case_id = c.case_id
LEFT JOIN clocks AS k ON p.document_id = k.document_id
LEFT JOIN payers AS y ON p.document_id = y.document_id AND y.choice = 1
