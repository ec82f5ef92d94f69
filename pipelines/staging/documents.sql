WITH timed AS (
    SELECT
        d.document_id,
        d.case_id,
        c.patient_id,
        COALESCE(a.facility_id, c.facility_id) AS facility_id,
        d.appointment_id,
        d.kind,
        d.has_plan_of_care,
        d.status,
        d.date_of_service,
        d.last_editor_id,
        d.reviewer_id,
        COALESCE(d.last_editor_id, a.staff_id) AS known_owner_id,
        c.therapist_id,
        a.visit_on AS appointment_on,
        CASE
            WHEN d.started_at_is_utc THEN d.started_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE d.started_at
        END AS started_at,
        CASE
            WHEN d.completed_at_is_utc
                THEN d.completed_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE d.completed_at
        END AS completed_at,
        CASE
            WHEN d.submitted_for_review_at_is_utc
                THEN d.submitted_for_review_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE d.submitted_for_review_at
        END AS submitted_for_review_at,
        CASE
            WHEN d.signed_at_is_utc THEN d.signed_at AT TIME ZONE 'UTC' AT TIME ZONE f.time_zone
            ELSE d.signed_at
        END AS signed_at,
    FROM extract.documents AS d
    LEFT JOIN staging.cases AS c ON d.case_id = c.case_id
    LEFT JOIN staging.appointments AS a ON d.appointment_id = a.appointment_id
    LEFT JOIN staging.facilities AS f ON COALESCE(a.facility_id, c.facility_id) = f.facility_id
),

-- Documents without an editor and a visit's therapist take their owner from the day's schedule.
ownerless_days AS (
    SELECT DISTINCT
        t.case_id,
        t.date_of_service,
    FROM timed AS t
    WHERE t.known_owner_id IS NULL AND t.date_of_service IS NOT NULL
),

-- A cancelled visit counts only where the day has no other.
day_visits AS (
    SELECT
        o.case_id,
        o.date_of_service,
        a.staff_id,
        ROW_NUMBER() OVER (
            PARTITION BY o.case_id, o.date_of_service
            ORDER BY
                CASE WHEN a.status IN ('Cancelled', 'No Show') THEN 1 ELSE 0 END,
                a.starts_at,
                LPAD(a.appointment_id, 64, '0'),
                a.appointment_id
        ) AS position,
    FROM ownerless_days AS o
    INNER JOIN staging.appointments AS a ON o.case_id = a.case_id AND o.date_of_service = a.visit_on
    WHERE a.staff_id IS NOT NULL
)

SELECT
    t.document_id,
    t.case_id,
    t.patient_id,
    t.facility_id,
    t.appointment_id,
    t.kind,
    t.has_plan_of_care,
    t.status,
    t.started_at,
    CAST(t.started_at AS DATE) AS started_on,
    t.date_of_service,
    -- The day of the document's visit, and what says so.
    COALESCE(t.appointment_on, t.date_of_service, CAST(t.started_at AS DATE)) AS visit_on,
    CASE
        WHEN t.appointment_on IS NOT NULL THEN 'appointment'
        WHEN t.date_of_service IS NOT NULL THEN 'date of service'
        ELSE 'start'
    END AS visit_known_by,
    t.last_editor_id,
    t.completed_at,
    CAST(t.completed_at AS DATE) AS completed_on,
    t.reviewer_id,
    t.submitted_for_review_at,
    CAST(t.submitted_for_review_at AS DATE) AS submitted_for_review_on,
    t.signed_at,
    CAST(t.signed_at AS DATE) AS signed_on,
    COALESCE(t.known_owner_id, v.staff_id, t.therapist_id) AS owner_id,
FROM timed AS t
LEFT JOIN day_visits AS v
    ON
        t.case_id = v.case_id
        AND t.date_of_service = v.date_of_service
        AND v.position = 1
