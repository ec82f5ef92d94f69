-- The first decision for each (rule, subject) with a stored task or a candidate.
-- Rules that did not answer have no rows here, so their tasks do not change.
WITH latest AS (
    SELECT
        t.task_id,
        t.rule_id,
        t.subject_id,
        t.occurrence,
        t.case_id,
        t.patient_id,
        t.facility_id,
        t.state,
        t.closed_at,
        t.close_kind,
        t.episode,
        t.is_away,
    FROM tasks_with_actions AS t
    INNER JOIN rules AS r ON t.rule_id = r.rule_id AND r.is_answered
    WHERE t.is_latest
),

-- Patients whose every case is discharged: this ends tasks that belong to no case.
discharged_patients AS (
    SELECT c.patient_id,
    FROM staging.cases AS c
    GROUP BY c.patient_id
    HAVING
        BOOL_AND(c.is_discharged)
        -- A refused case may be the open one.
        AND NOT EXISTS (
            SELECT 1, FROM refused_unnamed AS u
            WHERE u.table_name = 'cases'
        )
        AND NOT EXISTS (
            SELECT 1,
            FROM refused_ids AS i
            WHERE i.table_name = 'cases' AND i.id_table = 'patients' AND i.id_value = c.patient_id
        )
),

pairs AS (
    SELECT
        COALESCE(l.rule_id, c.rule_id) AS rule_id,
        COALESCE(l.subject_id, c.subject_id) AS subject_id,
        l.task_id,
        COALESCE(l.occurrence, 0) AS occurrence,
        l.state,
        l.is_away,
        l.closed_at,
        l.close_kind,
        l.episode AS stored_episode,
        c.subject_id IS NOT NULL AS is_asked,
        c.episode,
        COALESCE(c.patient_id, l.patient_id) AS patient_id,
        CASE WHEN c.subject_id IS NOT NULL THEN c.case_id ELSE l.case_id END AS case_id,
        COALESCE(c.facility_id, l.facility_id) AS facility_id,
    FROM latest AS l
    FULL OUTER JOIN candidates AS c ON l.rule_id = c.rule_id AND l.subject_id = c.subject_id
),

facts AS (
    SELECT
        p.rule_id,
        p.subject_id,
        p.task_id,
        p.occurrence,
        p.state,
        p.is_away,
        p.closed_at,
        p.close_kind,
        p.stored_episode,
        p.is_asked,
        p.episode,
        p.patient_id,
        p.case_id,
        p.facility_id,
        r.clears,
        r.subject_table,
        COALESCE(a.status = 'Active', FALSE) AS is_patient_active,
        r.ends_at_discharge
        AND COALESCE(k.is_discharged, d.patient_id IS NOT NULL, FALSE) AS is_ended,
        -- A completed task returns once its condition was away, or with a new episode or period.
        p.is_away
        OR (p.state = 'completed' AND p.episode IS DISTINCT FROM p.stored_episode)
        OR (
            r.period IS NOT NULL
            AND CAST(p.closed_at AT TIME ZONE f.time_zone AS DATE)
            < CASE r.period WHEN 'week' THEN f.week_on ELSE f.month_on END
        ) AS may_return,
    FROM pairs AS p
    INNER JOIN rules AS r ON p.rule_id = r.rule_id
    LEFT JOIN staging.patients AS a ON p.patient_id = a.patient_id
    LEFT JOIN staging.cases AS k ON p.case_id = k.case_id
    LEFT JOIN discharged_patients AS d ON p.case_id IS NULL AND p.patient_id = d.patient_id
    LEFT JOIN staging.facilities AS f ON p.facility_id = f.facility_id
),

openings AS (
    SELECT
        f.rule_id,
        f.subject_id,
        CASE WHEN f.state = 'open' THEN f.occurrence ELSE f.occurrence + 1 END AS occurrence,
    FROM facts AS f
    WHERE
        f.is_asked
        AND NOT f.is_ended
        AND (
            f.state = 'open'
            OR (f.is_patient_active AND (f.task_id IS NULL OR f.may_return))
        )
),

-- The target tasks of a rule that will be open for the same subject, in the rule's order.
conversions AS (
    SELECT
        f.task_id,
        c.target_rule_id,
        o.occurrence AS target_occurrence,
        ROW_NUMBER() OVER (PARTITION BY f.task_id ORDER BY c.position ASC) AS choice,
    FROM facts AS f
    INNER JOIN conversion_rules AS c ON f.rule_id = c.rule_id
    INNER JOIN openings AS o ON c.target_rule_id = o.rule_id AND f.subject_id = o.subject_id
    WHERE f.state = 'open' AND NOT f.is_asked
),

-- Rules with a target that did not answer: they wait, or the conversion would be lost.
waiting_rules AS (
    SELECT DISTINCT c.rule_id,
    FROM conversion_rules AS c
    INNER JOIN rules AS r ON c.target_rule_id = r.rule_id AND NOT r.is_answered
),

questioned AS (
    SELECT
        f.rule_id,
        f.subject_id,
        f.subject_table,
        f.case_id,
    FROM facts AS f
    WHERE NOT f.is_asked AND (f.state = 'open' OR NOT f.is_away)
),

present AS (
    SELECT
        q.rule_id,
        q.subject_id,
    FROM questioned AS q
    INNER JOIN subjects AS s ON q.subject_table = s.subject_table AND q.subject_id = s.subject_id
    GROUP BY q.rule_id, q.subject_id
),

-- Subjects that a refused row may be about: the record itself, its case in a table the rule reads,
-- or a row of its table without a usable id. Missing data must not close a task.
held AS (
    SELECT
        q.rule_id,
        q.subject_id,
    FROM questioned AS q
    INNER JOIN rule_reads AS d ON q.rule_id = d.rule_id
    INNER JOIN refused_ids AS i
        ON
            d.table_name = i.table_name
            AND (
                (q.subject_table = i.id_table AND q.subject_id = i.id_value)
                OR (d.is_read AND i.id_table = 'cases' AND q.case_id = i.id_value)
            )
    UNION
    SELECT
        q.rule_id,
        q.subject_id,
    FROM questioned AS q
    LEFT JOIN present AS s ON q.rule_id = s.rule_id AND q.subject_id = s.subject_id
    INNER JOIN refused_unnamed AS u
        ON
            (q.subject_table = u.table_name AND s.subject_id IS NULL)
            OR (q.subject_table = 'patients' AND u.table_name = 'cases')
)

SELECT
    f.rule_id,
    f.subject_id,
    f.task_id,
    f.occurrence,
    CASE
        WHEN f.task_id IS NULL OR f.state <> 'open'
            THEN CASE
                WHEN o.subject_id IS NOT NULL THEN 'open'
                WHEN
                    f.task_id IS NOT NULL
                    AND NOT f.is_away
                    AND h.subject_id IS NULL
                    AND (NOT f.is_asked OR f.is_ended)
                    THEN 'away'
                ELSE 'none'
            END
        WHEN f.is_ended THEN 'discharged'
        WHEN f.is_asked THEN 'refresh'
        WHEN h.subject_id IS NOT NULL THEN 'hold'
        WHEN s.subject_id IS NULL THEN 'source_gone'
        WHEN v.task_id IS NOT NULL THEN 'converted'
        WHEN f.clears = 'auto' AND w.rule_id IS NOT NULL THEN 'hold'
        WHEN f.clears = 'auto' THEN 'cleared'
        ELSE 'none'
    END AS decision,
    CASE
        WHEN o.subject_id IS NOT NULL
            THEN SUBSTR(
                MD5(f.rule_id || '|' || f.subject_id || '|' || CAST(o.occurrence AS VARCHAR)), 1, 16
            )
    END AS open_task_id,
    o.occurrence AS open_occurrence,
    CASE
        WHEN v.task_id IS NOT NULL
            THEN SUBSTR(
                MD5(
                    v.target_rule_id || '|' || f.subject_id || '|'
                    || CAST(v.target_occurrence AS VARCHAR)
                ),
                1,
                16
            )
    END AS converts_to_task_id,
    f.close_kind AS previous_close_kind,
FROM facts AS f
LEFT JOIN openings AS o ON f.rule_id = o.rule_id AND f.subject_id = o.subject_id
LEFT JOIN conversions AS v ON f.task_id = v.task_id AND v.choice = 1
LEFT JOIN present AS s ON f.rule_id = s.rule_id AND f.subject_id = s.subject_id
LEFT JOIN held AS h ON f.rule_id = h.rule_id AND f.subject_id = h.subject_id
LEFT JOIN waiting_rules AS w ON f.rule_id = w.rule_id
