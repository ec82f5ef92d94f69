-- One week at one facility: each case open in it, its weekly target, its visits by status.
WITH week_visits AS (
    SELECT
        a.case_id,
        COUNT(*) AS scheduled,
        COUNT(*) FILTER (WHERE a.status = 'Completed') AS completed,
        COUNT(*) FILTER (WHERE a.status = 'Cancelled') AS cancelled,
        COUNT(*) FILTER (WHERE a.status = 'No Show') AS no_show,
        STRING_AGG(DISTINCT a.reminder_status, ', ' ORDER BY a.reminder_status) AS reminders,
    FROM staging.appointments AS a
    WHERE a.visit_on BETWEEN $first_on AND $last_on
    GROUP BY a.case_id
)

SELECT
    c.case_id,
    p.patient_id,
    COALESCE(
        p.last_name || ', ' || p.first_name, p.last_name, p.first_name, p.patient_id
    ) AS patient,
    s.name AS therapist,
    c.visits_per_week_target AS target,
    COALESCE(v.scheduled, 0) AS scheduled,
    COALESCE(v.completed, 0) AS completed,
    COALESCE(v.cancelled, 0) AS cancelled,
    COALESCE(v.no_show, 0) AS no_show,
    -- A case without a target has no scheduled share; one without visits has no other shares.
    COALESCE(v.scheduled, 0) / NULLIF(c.visits_per_week_target, 0) AS scheduled_share,
    v.completed / v.scheduled AS completed_share,
    v.cancelled / v.scheduled AS cancelled_share,
    v.no_show / v.scheduled AS no_show_share,
    v.reminders,
    COALESCE(COALESCE(v.scheduled, 0) < c.visits_per_week_target, FALSE) AS is_under_scheduled,
FROM staging.cases AS c
INNER JOIN staging.patients AS p ON c.patient_id = p.patient_id
LEFT JOIN staging.staff AS s ON c.therapist_id = s.staff_id
LEFT JOIN week_visits AS v ON c.case_id = v.case_id
WHERE
    p.status = 'Active'
    AND c.opened_on <= $last_on
    AND COALESCE(c.discharged_on >= $first_on, TRUE)
    AND c.facility_id = $facility_id
ORDER BY
    is_under_scheduled DESC,
    COALESCE(c.visits_per_week_target, 0) - COALESCE(v.scheduled, 0) DESC,
    patient ASC,
    LPAD(c.case_id, 64, '0') ASC,
    c.case_id ASC
