/* Appointments of patients with what their recurrence says. pc_recurrspec is a serialized PHP
   array; "event_repeat_freq";s:1:"2" is every second, of the unit event_repeat_freq_type. */
WITH told AS (
    SELECT
        ev.pc_eid AS event_id,
        ev.pc_pid AS patient_id,
        ev.pc_aid AS staff_id,
        ev.pc_facility AS facility_id,
        ev.pc_apptstatus AS word,
        ev.pc_time AS created,
        ev.pc_eventdate AS day_text,
        TRY_CAST(ev.pc_eventdate AS DATE) AS starts_on,
        TRY_CAST(ev.pc_enddate AS DATE) AS ends_on,
        COALESCE(ev.pc_starttime, '00:00:00') AS starts_at,
        TRY_CAST(ev.pc_recurrtype AS INTEGER) AS recurrence,
        ev.pc_recurrspec AS spec,
    FROM source.openemr_postcalendar_events AS ev
    WHERE COALESCE(ev.pc_pid, '') NOT IN ('', '0') -- the others are hours and holidays
)

SELECT
    t.event_id,
    t.patient_id,
    NULLIF(t.staff_id, '0') AS staff_id,
    NULLIF(t.facility_id, '0') AS facility_id,
    t.word,
    t.created,
    t.day_text,
    t.starts_on,
    t.ends_on,
    t.starts_at,
    COALESCE(t.recurrence, 0) AS recurrence,
    REGEXP_EXTRACT(t.spec, '"event_repeat_freq";s:[0-9]+:"([0-9,]+)"', 1) AS days,
    GREATEST(
        COALESCE(
            TRY_CAST(
                REGEXP_EXTRACT(t.spec, '"event_repeat_freq";s:[0-9]+:"([0-9]+)"', 1) AS INTEGER
            ),
            1
        ),
        1
    ) AS every,
    COALESCE(
        TRY_CAST(
            REGEXP_EXTRACT(t.spec, '"event_repeat_freq_type";s:[0-9]+:"([0-9]+)"', 1) AS INTEGER
        ),
        0
    ) AS unit,
    TRY_CAST(REGEXP_EXTRACT(t.spec, '"event_repeat_on_num";s:[0-9]+:"([0-9]+)"', 1) AS INTEGER)
        AS on_num,
    TRY_CAST(REGEXP_EXTRACT(t.spec, '"event_repeat_on_day";s:[0-9]+:"([0-9]+)"', 1) AS INTEGER)
        AS on_day,
    GREATEST(
        COALESCE(
            TRY_CAST(
                REGEXP_EXTRACT(t.spec, '"event_repeat_on_freq";s:[0-9]+:"([0-9]+)"', 1) AS INTEGER
            ),
            1
        ),
        1
    ) AS on_every,
    REGEXP_EXTRACT(t.spec, '"exdate";s:[0-9]+:"([0-9,]*)"', 1) AS excluded,
FROM told AS t
