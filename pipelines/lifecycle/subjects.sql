-- Every record that a task may be about, as staged in this run, with its subject_table, its patient
-- and case, and the day it is from; `is_case` where the record is the case itself.
SELECT
    'patients' AS subject_table,
    s.patient_id AS subject_id,
    s.patient_id,
    CAST(NULL AS VARCHAR) AS case_id,
    CAST(NULL AS DATE) AS record_on,
    FALSE AS is_case,
FROM staging.patients AS s
UNION ALL
SELECT
    'cases' AS subject_table,
    s.case_id AS subject_id,
    s.patient_id,
    s.case_id,
    s.opened_on AS record_on,
    TRUE AS is_case,
FROM staging.cases AS s
UNION ALL
SELECT
    'policies' AS subject_table,
    s.policy_id AS subject_id,
    s.patient_id,
    s.case_id,
    CAST(s.created_at AS DATE) AS record_on,
    FALSE AS is_case,
FROM staging.policies AS s
UNION ALL
SELECT
    'authorizations' AS subject_table,
    s.authorization_id AS subject_id,
    s.patient_id,
    s.case_id,
    s.entered_on AS record_on,
    FALSE AS is_case,
FROM staging.authorizations AS s
UNION ALL
SELECT
    'appointments' AS subject_table,
    s.appointment_id AS subject_id,
    s.patient_id,
    s.case_id,
    s.visit_on AS record_on,
    FALSE AS is_case,
FROM staging.appointments AS s
UNION ALL
SELECT
    'payments' AS subject_table,
    s.payment_id AS subject_id,
    s.patient_id,
    s.case_id,
    s.paid_on AS record_on,
    FALSE AS is_case,
FROM staging.payments AS s
UNION ALL
SELECT
    'claims' AS subject_table,
    s.claim_id AS subject_id,
    s.patient_id,
    s.case_id,
    s.date_of_service AS record_on,
    FALSE AS is_case,
FROM staging.claims AS s
UNION ALL
SELECT
    'claim_holds' AS subject_table,
    s.hold_id AS subject_id,
    s.patient_id,
    s.case_id,
    s.held_on AS record_on,
    FALSE AS is_case,
FROM staging.claim_holds AS s
UNION ALL
SELECT
    'documents' AS subject_table,
    s.document_id AS subject_id,
    s.patient_id,
    s.case_id,
    s.started_on AS record_on,
    FALSE AS is_case,
FROM staging.documents AS s
UNION ALL
SELECT
    'faxes' AS subject_table,
    s.fax_id AS subject_id,
    d.patient_id,
    d.case_id,
    COALESCE(s.sent_on, s.failed_on) AS record_on,
    FALSE AS is_case,
FROM staging.faxes AS s
INNER JOIN staging.documents AS d ON s.document_id = d.document_id
UNION ALL
SELECT
    'intake_submissions' AS subject_table,
    s.submission_id AS subject_id,
    s.patient_id,
    s.case_id,
    s.submitted_on AS record_on,
    FALSE AS is_case,
FROM staging.intake_submissions AS s
UNION ALL
SELECT
    'engagement_actions' AS subject_table,
    s.action_id AS subject_id,
    s.patient_id,
    s.case_id,
    CAST(NULL AS DATE) AS record_on,
    FALSE AS is_case,
FROM staging.engagement_actions AS s
UNION ALL
SELECT
    'surveys' AS subject_table,
    s.survey_id AS subject_id,
    s.patient_id,
    s.case_id,
    s.completed_on AS record_on,
    FALSE AS is_case,
FROM staging.surveys AS s
