SELECT
    c.policy_id,
    c.patient_id,
    NULL AS case_id,
    c.payer_id,
    c.rank,
    c.starts_text AS starts_on,
    c.ends_text AS ends_on,
    CASE
        WHEN c.starts_on >= DATE '1900-01-02' THEN c.starts_text
        ELSE pd.regdate
    END AS created_at,
    'false' AS authorization_required,
    NULL AS verification_requested_at,
    NULL AS verified_at,
    NULL AS verified_by,
FROM step.coverage AS c
LEFT JOIN source.patient_data AS pd ON c.patient_id = pd.pid
