-- Insurance that names a company; OpenEMR keeps empty rows for patients without any.
SELECT
    ins.id AS policy_id,
    ins.pid AS patient_id,
    ins.provider AS payer_id,
    ins.type AS rank,
    ins.date AS starts_text,
    ins.date_end AS ends_text,
    TRY_CAST(ins.date AS DATE) AS starts_on,
    TRY_CAST(ins.date_end AS DATE) AS ends_on,
    TRY_CAST(REPLACE(ins.copay, '$', '') AS DECIMAL(12, 2)) AS copay,
FROM source.insurance_data AS ins
WHERE COALESCE(ins.provider, '') NOT IN ('', '0')
