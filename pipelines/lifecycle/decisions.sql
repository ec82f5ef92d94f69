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
        t.gone_at,
        s.task_id IS NOT NULL AS is_present,
        COALESCE(s.is_reused, FALSE) AS is_reused,
    FROM tasks_with_actions AS t
    INNER JOIN rules AS r ON t.rule_id = r.rule_id AND r.is_answered
    LEFT JOIN records AS s ON t.task_id = s.task_id
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
        CASE WHEN NOT l.is_reused THEN l.task_id END AS task_id,
        COALESCE(l.occurrence, 0) AS occurrence,
        CASE WHEN NOT l.is_reused THEN l.state END AS state,
        l.is_away,
        l.gone_at,
        l.closed_at,
        l.close_kind,
        l.episode AS stored_episode,
        l.is_present,
        c.subject_id IS NOT NULL AS is_asked,
        c.episode,
        CASE WHEN c.subject_id IS NOT NULL THEN c.patient_id ELSE l.patient_id END AS patient_id,
        CASE WHEN c.subject_id IS NOT NULL THEN c.case_id ELSE l.case_id END AS case_id,
        COALESCE(c.facility_id, l.facility_id) AS facility_id,
        FALSE AS is_reused,
    FROM latest AS l
    FULL OUTER JOIN candidates AS c ON l.rule_id = c.rule_id AND l.subject_id = c.subject_id
    WHERE c.subject_id IS NOT NULL OR NOT l.is_reused
    UNION ALL
    -- The task of the record that had this id before.
    SELECT
        l.rule_id,
        l.subject_id,
        l.task_id,
        l.occurrence,
        l.state,
        l.is_away,
        l.gone_at,
        l.closed_at,
        l.close_kind,
        l.episode AS stored_episode,
        FALSE AS is_present,
        FALSE AS is_asked,
        CAST(NULL AS VARCHAR) AS episode,
        l.patient_id,
        l.case_id,
        l.facility_id,
        TRUE AS is_reused,
    FROM latest AS l
    WHERE l.is_reused
),

facts AS (
    SELECT
        p.rule_id,
        p.subject_id,
        p.task_id,
        p.occurrence,
        p.state,
        p.is_away,
        p.gone_at,
        p.closed_at,
        p.close_kind,
        p.stored_episode,
        COALESCE(p.is_present, p.is_asked) AS is_present,
        p.is_asked,
        p.episode,
        p.patient_id,
        p.case_id,
        p.facility_id,
        p.is_reused,
        r.clears,
        r.subject_table,
        r.looks_at,
        s.status IS NOT NULL AS is_for_patient,
        r.ends_at_discharge
        AND COALESCE(k.is_discharged, d.patient_id IS NOT NULL) AS is_ended,
        -- The record is back in time: the task goes on as it was. A record that was back in an
        -- earlier run is not away any more (`gone_at`), so its task has had its answer.
        p.state = 'cleared'
        AND p.close_kind = 'source_gone'
        AND p.gone_at IS NOT NULL
        AND p.closed_at >= $return_from AS may_come_back,
        -- A completed task returns once its condition was away, or with a new episode or period.
        p.is_away
        OR p.gone_at < $return_from
        OR (p.state = 'completed' AND p.episode IS DISTINCT FROM p.stored_episode)
        OR (
            r.period IS NOT NULL
            AND CAST(p.closed_at AT TIME ZONE f.time_zone AS DATE)
            < CASE r.period WHEN 'week' THEN f.week_on ELSE f.month_on END
        ) AS may_return,
    FROM pairs AS p
    INNER JOIN rules AS r ON p.rule_id = r.rule_id
    LEFT JOIN staging.patients AS a ON p.patient_id = a.patient_id
    LEFT JOIN rule_patients AS s ON p.rule_id = s.rule_id AND a.status = s.status
    LEFT JOIN staging.cases AS k ON p.case_id = k.case_id
    LEFT JOIN discharged_patients AS d ON p.case_id IS NULL AND p.patient_id = d.patient_id
    LEFT JOIN staging.facilities AS f ON p.facility_id = f.facility_id
),

-- The patients whose case or own id a refused row names.
refused_patients AS (
    SELECT DISTINCT
        i.table_name,
        COALESCE(k.patient_id, i.id_value) AS patient_id,
    FROM refused_ids AS i
    LEFT JOIN staging.cases AS k ON i.id_table = 'cases' AND i.id_value = k.case_id
    WHERE i.id_table = 'patients' OR k.case_id IS NOT NULL
),

-- Questions that a refused row may concern: the record itself, or its case (of some rules, any case
-- of its patient) in a table the rule reads. They have no answer: nothing opens, changes or closes.
held AS (
    SELECT
        f.rule_id,
        f.subject_id,
    FROM facts AS f
    INNER JOIN rule_reads AS d ON f.rule_id = d.rule_id
    INNER JOIN refused_ids AS i
        ON
            d.table_name = i.table_name
            AND f.subject_table = i.id_table
            AND f.subject_id = i.id_value
    UNION
    SELECT
        f.rule_id,
        f.subject_id,
    FROM facts AS f
    INNER JOIN rule_reads AS d ON f.rule_id = d.rule_id AND d.is_read
    INNER JOIN refused_ids AS i
        ON d.table_name = i.table_name AND f.case_id = i.id_value AND i.id_table = 'cases'
    UNION
    SELECT
        f.rule_id,
        f.subject_id,
    FROM facts AS f
    INNER JOIN rule_reads AS d ON f.rule_id = d.rule_id AND d.is_read
    INNER JOIN refused_patients AS p
        ON d.table_name = p.table_name AND f.patient_id = p.patient_id
    WHERE f.looks_at = 'patient'
    UNION
    -- A row that names no record may be the one that is missing.
    SELECT
        f.rule_id,
        f.subject_id,
    FROM facts AS f
    INNER JOIN refused_unnamed AS u
        ON
            (f.subject_table = u.table_name AND NOT f.is_present)
            OR (f.subject_table = 'patients' AND u.table_name = 'cases')
    WHERE NOT f.is_asked
    UNION
    -- Earlier rows than those that were delivered decide.
    SELECT
        u.rule_id,
        u.subject_id,
    FROM unseen AS u
),

openings AS (
    SELECT
        f.rule_id,
        f.subject_id,
        CASE
            WHEN f.state = 'open' OR f.may_come_back THEN f.occurrence
            ELSE f.occurrence + 1
        END AS occurrence,
        COALESCE(f.may_come_back, FALSE) AS is_coming_back,
        h.subject_id IS NOT NULL AS is_held,
    FROM facts AS f
    LEFT JOIN held AS h ON f.rule_id = h.rule_id AND f.subject_id = h.subject_id
    WHERE
        f.is_asked
        AND NOT f.is_ended
        AND (
            f.state = 'open'
            OR f.may_come_back
            OR (f.is_for_patient AND (f.task_id IS NULL OR f.may_return))
        )
),

-- The target tasks of a rule that will be open for the same subject, in the rule's order.
conversions AS (
    SELECT
        f.task_id,
        c.target_rule_id,
        o.occurrence AS target_occurrence,
        o.is_held,
        ROW_NUMBER() OVER (PARTITION BY f.task_id ORDER BY c.position ASC) AS choice,
    FROM facts AS f
    INNER JOIN conversion_rules AS c ON f.rule_id = c.rule_id
    INNER JOIN openings AS o ON c.target_rule_id = o.rule_id AND f.subject_id = o.subject_id
    WHERE f.state = 'open' AND NOT f.is_asked AND NOT f.is_reused
),

-- Rules with a target that did not answer: they wait, or the conversion would be lost.
waiting_rules AS (
    SELECT DISTINCT c.rule_id,
    FROM conversion_rules AS c
    INNER JOIN rules AS r ON c.target_rule_id = r.rule_id AND NOT r.is_answered
)

SELECT
    f.rule_id,
    f.subject_id,
    f.task_id,
    f.occurrence,
    CASE
        WHEN f.task_id IS NULL OR f.state <> 'open'
            THEN CASE
                WHEN o.is_held THEN 'hold'
                WHEN o.is_coming_back THEN 'came_back'
                WHEN o.subject_id IS NOT NULL THEN 'open'
                -- Only a person clears it, so an open one would have stayed, too.
                WHEN
                    f.may_come_back
                    AND f.clears = 'manual'
                    AND NOT f.is_asked
                    AND NOT f.is_ended
                    AND f.is_present
                    AND h.subject_id IS NULL
                    THEN 'came_back'
                WHEN
                    f.task_id IS NOT NULL
                    AND NOT f.is_away
                    AND f.is_present
                    AND h.subject_id IS NULL
                    AND (NOT f.is_asked OR f.is_ended)
                    THEN 'away'
                ELSE 'none'
            END
        WHEN f.is_ended THEN 'discharged'
        WHEN h.subject_id IS NOT NULL THEN 'hold'
        WHEN f.is_asked THEN 'refresh'
        WHEN NOT f.is_present THEN 'source_gone'
        WHEN v.is_held THEN 'hold'
        WHEN v.task_id IS NOT NULL THEN 'converted'
        WHEN f.clears = 'auto' AND w.rule_id IS NOT NULL THEN 'hold'
        WHEN f.clears = 'auto' THEN 'cleared'
        ELSE 'none'
    END AS decision,
    CASE
        WHEN o.subject_id IS NOT NULL AND NOT o.is_held
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
    f.is_present,
    f.is_asked,
    h.subject_id IS NOT NULL AS is_held,
    f.is_reused,
    f.patient_id,
    f.facility_id,
FROM facts AS f
LEFT JOIN openings AS o
    ON f.is_asked AND f.rule_id = o.rule_id AND f.subject_id = o.subject_id
LEFT JOIN conversions AS v ON f.task_id = v.task_id AND v.choice = 1
LEFT JOIN held AS h ON f.rule_id = h.rule_id AND f.subject_id = h.subject_id
LEFT JOIN waiting_rules AS w ON f.rule_id = w.rule_id
