/* rule
title        = "Intake Complete"
category     = "Administrative"
clears       = "manual"
clears_when  = "Staff have reviewed the submitted data and mark the task complete."
manual       = "allowed"
purpose      = "The patient has submitted digital intake forms that nobody has reviewed yet."
resolve      = [
    "Open the patient's Demographics and review what the patient submitted.",
    "Correct name, contact and insurance where they differ, and ask the patient about gaps.",
    "Check that every consent is signed.",
    "Mark the task complete.",
]
links        = ["demographics", "policies", "documents"]
reads        = ["intake_submissions"]
due_days     = 2    # before the first visit
ends_at_discharge = true    # the forms are of no use after discharge
subject_table = "intake_submissions"
source       = "requirements: Administrative Tasks"

[params]
*/
SELECT
    i.submission_id AS subject_id,
    i.case_id,
    i.patient_id,
    i.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    i.submitted_on AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    i.form || ' submitted on ' || CAST(i.submitted_on AS VARCHAR) || ' for review' AS reason,
FROM staging.intake_submissions AS i
-- A review that the EMR records needs no task.
WHERE i.reviewed_at IS NULL
