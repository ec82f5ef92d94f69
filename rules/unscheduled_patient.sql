/* rule
title        = "Unscheduled Patient"
category     = "Administrative"
clears       = "auto"
clears_when  = "A visit within the days ahead is scheduled for the patient, in any case."
manual       = "allowed"
purpose      = "An active patient with an open case has no visit scheduled in the days ahead."
resolve      = [
    "Open the patient's schedule and check the last visit.",
    "Call the patient and schedule the next visit.",
    "If care has ended, ask the therapist for a discharge; if the patient left, set Inactive.",
    "Use Schedule Analytics for the weekly targets of all patients.",
]
links        = ["schedule", "demographics"]
reads        = ["appointments", "cases", "facilities"]
looks_back   = ["appointments"]    # the last visit
due_days     = 14    # half a month: time for more than one call
ends_at_discharge = true    # a discharged case needs no visits
period       = "month"
subject_table = "patients"
looks_at     = "patient"
source       = "requirements: Administrative Tasks; notes on the domain"

[params]
horizon_days = 30    # days ahead to look at; without an extract that far the rule is withheld
*/
WITH open_cases AS (
    SELECT
        c.patient_id,
        c.case_id,
        c.facility_id,
        c.opened_on,
        f.today,
        f.month_on,
        MIN(c.opened_on) OVER (PARTITION BY c.patient_id) AS first_opened_on,
        ROW_NUMBER() OVER (
            PARTITION BY c.patient_id
            ORDER BY c.opened_on DESC, LPAD(c.case_id, 64, '0') DESC, c.case_id DESC
        ) AS recency,
    FROM staging.cases AS c
    INNER JOIN staging.facilities AS f ON c.facility_id = f.facility_id
    WHERE NOT c.is_discharged AND c.opened_on <= f.today
),

scheduled AS (
    SELECT DISTINCT a.patient_id,
    FROM staging.appointments AS a
    INNER JOIN staging.facilities AS f ON a.facility_id = f.facility_id
    WHERE a.is_live AND a.visit_on >= f.today AND a.visit_on <= f.today + $horizon_days
),

unscheduled AS (
    SELECT
        o.patient_id,
        o.case_id,
        o.facility_id,
        o.opened_on,
        o.today,
        o.first_opened_on,
        GREATEST(o.month_on, o.first_opened_on) AS period_on,
    FROM open_cases AS o
    LEFT JOIN scheduled AS s ON o.patient_id = s.patient_id
    WHERE o.recency = 1 AND s.patient_id IS NULL
),

-- Until its day, a visit that was not cancelled left no gap.
visits AS (
    SELECT
        u.patient_id,
        MAX(CASE WHEN a.status <> 'Cancelled' AND a.visit_on <= u.today THEN a.visit_on END)
            AS last_booked_on,
        MAX(CASE WHEN a.has_happened THEN a.visit_on END) AS last_seen_on,
        MAX(CASE WHEN a.status = 'No Show' THEN a.visit_on END) AS no_show_on,
        MAX(CASE WHEN a.status = 'Cancelled' THEN a.visit_on END) AS cancelled_on,
        MAX(
            CASE
                WHEN a.status = 'Cancelled' AND a.visit_on <= u.today + $horizon_days
                    THEN a.visit_on
            END
        ) AS near_cancelled_on,
        MIN(CASE WHEN a.is_live AND a.visit_on > u.today THEN a.visit_on END) AS next_on,
    FROM unscheduled AS u
    INNER JOIN staging.appointments AS a ON u.patient_id = a.patient_id
    GROUP BY u.patient_id
)

SELECT
    u.patient_id AS subject_id,
    u.case_id,
    u.patient_id,
    u.facility_id,
    CAST(NULL AS VARCHAR) AS staff_id,
    -- The data do not say when a visit was cancelled.
    CASE
        WHEN v.near_cancelled_on > GREATEST(u.period_on, v.last_booked_on) THEN CAST(NULL AS DATE)
        -- A visit from before the data may be the last one.
        WHEN
            GREATEST(u.period_on, v.last_booked_on) < CAST($appointments_since AS DATE)
            THEN CAST(NULL AS DATE)
        ELSE GREATEST(u.period_on, v.last_booked_on)
    END AS since,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'No visit scheduled in the next ' || CAST($horizon_days AS VARCHAR) || ' days'
    || COALESCE('; next on ' || CAST(v.next_on AS VARCHAR), '')
    || CASE
        WHEN v.last_seen_on IS NOT NULL
            THEN '; last visit on ' || CAST(v.last_seen_on AS VARCHAR)
        WHEN u.first_opened_on < CAST($appointments_since AS DATE)
            THEN '; no visit in the days that the data cover'
        ELSE '; no visit yet'
    END
    || CASE
        WHEN v.no_show_on > COALESCE(v.last_seen_on, v.no_show_on - 1)
            THEN '; no-show on ' || CAST(v.no_show_on AS VARCHAR)
        ELSE ''
    END
    || CASE
        WHEN v.cancelled_on > COALESCE(v.last_seen_on, v.cancelled_on - 1)
            THEN '; visit of ' || CAST(v.cancelled_on AS VARCHAR) || ' cancelled'
        ELSE ''
    END
    || '; case open since ' || CAST(u.opened_on AS VARCHAR) AS reason,
FROM unscheduled AS u
LEFT JOIN visits AS v ON u.patient_id = v.patient_id;

/* evidence */
WITH booked AS (
    SELECT
        l.subject_id,
        a.appointment_id,
        a.visit_on,
        a.created_on,
        ROW_NUMBER() OVER (
            PARTITION BY l.subject_id
            ORDER BY a.starts_at, LPAD(a.appointment_id, 64, '0'), a.appointment_id
        ) AS position,
    FROM leaving AS l
    INNER JOIN staging.appointments AS a ON l.subject_id = a.patient_id
    INNER JOIN staging.facilities AS f ON a.facility_id = f.facility_id
    LEFT JOIN before.appointments AS b
        ON a.appointment_id = b.appointment_id AND b.is_live AND a.patient_id = b.patient_id
    LEFT JOIN before.facilities AS g ON b.facility_id = g.facility_id
    WHERE
        a.is_live
        AND a.visit_on >= f.today
        AND a.visit_on <= f.today + $horizon_days
        -- A visit that was in these days before the task opened was not booked for it.
        AND (
            b.appointment_id IS NULL
            OR b.visit_on < g.today
            OR b.visit_on > g.today + $horizon_days
            OR a.created_at >= l.opened_at AT TIME ZONE f.time_zone
        )
),

without_case AS (
    SELECT
        l.subject_id,
        l.case_id,
        c.patient_id,
        c.opened_on,
        c.discharged_on,
        c.is_discharged,
    FROM leaving AS l
    LEFT JOIN staging.cases AS c ON l.case_id = c.case_id
    WHERE
        NOT EXISTS (
            SELECT 1,
            FROM staging.cases AS o
            INNER JOIN staging.facilities AS f ON o.facility_id = f.facility_id
            WHERE
                o.patient_id = l.subject_id AND NOT o.is_discharged AND o.opened_on <= f.today
        )
)

SELECT
    b.subject_id,
    TRUE AS is_work,
    'appointments' AS record_table,
    b.appointment_id AS record_id,
    b.created_on AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'visit booked for ' || CAST(b.visit_on AS VARCHAR) || ', appointment ' || b.appointment_id
        AS says,
FROM booked AS b
WHERE b.position = 1
UNION ALL
SELECT
    w.subject_id,
    FALSE AS is_work,
    'cases' AS record_table,
    w.case_id AS record_id,
    CASE WHEN w.is_discharged THEN w.discharged_on END AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'case ' || w.case_id
    || CASE
        WHEN w.patient_id IS NULL THEN ' is no longer in the extract'
        WHEN w.patient_id <> w.subject_id THEN ' now belongs to another patient'
        WHEN w.is_discharged THEN ' was discharged on ' || CAST(w.discharged_on AS VARCHAR)
        ELSE ' opens only on ' || CAST(w.opened_on AS VARCHAR)
    END AS says,
FROM without_case AS w
LEFT JOIN booked AS b ON w.subject_id = b.subject_id
WHERE b.subject_id IS NULL
