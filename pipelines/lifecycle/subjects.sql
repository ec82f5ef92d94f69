-- Every record that a task may be about, as staged in this run, with its subject_table.
SELECT
    'patients' AS subject_table,
    s.patient_id AS subject_id,
FROM staging.patients AS s
UNION ALL
SELECT
    'cases' AS subject_table,
    s.case_id AS subject_id,
FROM staging.cases AS s
UNION ALL
SELECT
    'policies' AS subject_table,
    s.policy_id AS subject_id,
FROM staging.policies AS s
UNION ALL
SELECT
    'authorizations' AS subject_table,
    s.authorization_id AS subject_id,
FROM staging.authorizations AS s
UNION ALL
SELECT
    'appointments' AS subject_table,
    s.appointment_id AS subject_id,
FROM staging.appointments AS s
UNION ALL
SELECT
    'payments' AS subject_table,
    s.payment_id AS subject_id,
FROM staging.payments AS s
UNION ALL
SELECT
    'claims' AS subject_table,
    s.claim_id AS subject_id,
FROM staging.claims AS s
UNION ALL
SELECT
    'claim_holds' AS subject_table,
    s.hold_id AS subject_id,
FROM staging.claim_holds AS s
UNION ALL
SELECT
    'documents' AS subject_table,
    s.document_id AS subject_id,
FROM staging.documents AS s
UNION ALL
SELECT
    'faxes' AS subject_table,
    s.fax_id AS subject_id,
FROM staging.faxes AS s
UNION ALL
SELECT
    'intake_submissions' AS subject_table,
    s.submission_id AS subject_id,
FROM staging.intake_submissions AS s
UNION ALL
SELECT
    'engagement_actions' AS subject_table,
    s.action_id AS subject_id,
FROM staging.engagement_actions AS s
UNION ALL
SELECT
    'surveys' AS subject_table,
    s.survey_id AS subject_id,
FROM staging.surveys AS s
