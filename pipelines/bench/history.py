"""Lengthen a published list for the screens' benchmark: closed tasks of two years with events."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines import lifecycle, worklist
from pipelines.warehouse import snapshots
from pipelines.worklist import layout

DAYS = 730
# Each copy of an open task is a task of another record of the same patient; one in ten is an
# earlier occurrence of it. Numbers are hashes of the id, so the result is always the same.
COPIES = """
CREATE TEMP TABLE copies AS
WITH drawn AS (
    SELECT
        t.*,
        i.i,
        SUBSTR(MD5(t.task_id || i.i), 1, 16) AS copy_id,
        HASH(t.task_id, i.i, 'in') % 1000000 / 1e6 AS of_start,
        HASH(t.task_id, i.i, 'long') % 1000000 / 1e6 AS of_length,
        HASH(t.task_id, i.i, 'end') % 100 AS of_end,
        HASH(t.task_id, i.i, 'defer') % 100 AS of_deferral,
        HASH(t.task_id, 'again') % 10 = 0 AS is_again,
    FROM snapshot.tasks AS t
    CROSS JOIN (SELECT UNNEST(RANGE(1, $copies + 1)) AS i) AS i
),
placed AS (
    SELECT
        d.*,
        d.opened_at
        - CAST(((d.i - 1 + d.of_start) * $days / $copies + 40) * 86400 AS BIGINT)
            * INTERVAL 1 SECOND
            AS began_at,
        LEAST(-LN(1 - d.of_length) * 9, 39) AS length_days,
    FROM drawn AS d
)
SELECT
    p.* EXCLUDE (is_latest),
    p.began_at + CAST(p.length_days * 86400 AS BIGINT) * INTERVAL 1 SECOND AS ended_at,
    CASE
        WHEN p.of_end < 60 THEN 'cleared'
        WHEN p.of_end < 85 THEN 'completed'
        WHEN p.of_end < 93 THEN 'override'
        WHEN p.of_end < 97 THEN 'discharged'
        ELSE 'source_gone'
    END AS ended_as,
    COALESCE(p.rule_staff_id, s.staff_id) AS actor_id,
FROM placed AS p
CROSS JOIN (SELECT MIN(s.staff_id) AS staff_id FROM snapshot.staging.staff AS s) AS s
"""
TASKS = """
INSERT INTO long.tasks BY NAME
SELECT
    c.copy_id AS task_id, c.rule_id,
    c.subject_id || CASE WHEN c.is_again THEN '' ELSE '-' || c.i END AS subject_id,
    CASE WHEN c.is_again THEN $copies + 1 - c.i ELSE 1 END AS occurrence,
    NOT c.is_again AS is_latest,
    CASE WHEN c.is_again AND c.i < $copies THEN SUBSTR(MD5(c.task_id || (c.i + 1)), 1, 16) END
        AS previous_task_id,
    c.case_id, c.patient_id, c.facility_id,
    c.payer_id, c.rule_staff_id,
    CAST(c.began_at AS DATE) - CAST((c.opened_at::DATE - c.since) % 20 AS INTEGER) AS since,
    c.began_at AS opened_at,
    CASE WHEN c.ended_as IN ('completed', 'override') THEN 'completed' ELSE 'cleared' END AS state,
    c.ended_at AS closed_at,
    CASE WHEN c.ended_as IN ('completed', 'override') THEN c.actor_id ELSE 'system' END
        AS closed_by,
    c.ended_as AS close_kind, c.reason, c.amount,
    c.manual, c.is_away, 0 AS last_seq,
FROM copies AS c
"""
EVENTS = """
INSERT INTO long.events BY NAME
SELECT
    ROW_NUMBER() OVER (ORDER BY e.happened_at, e.task_id, e.part)
    + (SELECT MAX(event_no) FROM snapshot.events) AS event_no,
    e.* EXCLUDE (part)
FROM (
    SELECT
        c.copy_id AS task_id, 1 AS part, 'opened' AS event, c.began_at AS happened_at,
        'system' AS staff_id, c.reason, NULL::TIMESTAMPTZ AS deferred_until,
        c.rule_staff_id AS to_staff_id, c.amount, COALESCE(c.payer_id, 'self-pay') AS payer_id,
    FROM copies AS c
    UNION ALL
    SELECT c.copy_id, 2, 'deferred', c.began_at + (c.ended_at - c.began_at) / 3, c.actor_id, NULL,
        c.began_at + (c.ended_at - c.began_at) / 3 + (1 + c.of_deferral % 14) * INTERVAL 1 DAY,
        NULL, NULL, NULL,
    FROM copies AS c WHERE c.of_deferral < 10
    UNION ALL
    SELECT
        c.copy_id, 3, c.ended_as, c.ended_at,
        CASE WHEN c.ended_as IN ('completed', 'override') THEN c.actor_id ELSE 'system' END,
        NULL, NULL, NULL, NULL, NULL,
    FROM copies AS c
) AS e
"""


def lengthen(folder: Path, tasks: int) -> int:
    """Add at least so many closed tasks to the live list of a scratch warehouse; its size then."""
    live = snapshots.current(folder)
    assert live is not None
    made = live.with_name("long.duckdb")
    with snapshots.connect() as con:
        snapshots.attach(con, live, "snapshot")
        con.execute(f"ATTACH '{made}' AS long")
        con.execute("COPY FROM DATABASE snapshot TO long")
        (open_tasks,) = snapshots.first(con, "SELECT COUNT(*) FROM snapshot.tasks")
        copies = -(-tasks // open_tasks)
        con.execute(COPIES, {"copies": copies, "days": DAYS})
        con.execute(TASKS, {"copies": copies})
        con.execute(EVENTS)
        con.execute(
            "UPDATE long.tasks "
            "SET occurrence = $last, previous_task_id = SUBSTR(MD5(task_id || 1), 1, 16) "
            "WHERE state = 'open' AND HASH(task_id, 'again') % 10 = 0",
            {"last": copies + 1},
        )
        _work_out(con)
        (found,) = snapshots.first(con, "SELECT COUNT(*) FROM long.tasks")
    made.replace(live)
    return found


def _work_out(con: duckdb.DuckDBPyConnection) -> None:
    """Write stays and closed tasks as a run does."""
    con.execute("CREATE TEMP TABLE moment AS SELECT MAX(r.as_of) AS seen_at FROM long.runs AS r")
    con.execute("CREATE TEMP VIEW current_tasks AS FROM long.tasks")
    con.execute("CREATE TEMP VIEW current_events AS FROM long.events")
    con.execute("SET search_path = 'long.main'")
    lifecycle.create_move_kinds(con)
    con.execute("CREATE OR REPLACE TABLE long.stays AS " + lifecycle.sql("stays"))
    con.execute(
        "CREATE OR REPLACE TABLE long.closed_tasks AS "
        f"FROM ({worklist.sql('listed')}) AS t WHERE NOT t.is_open",
        worklist.EVERY_TASK,
    )
    con.execute("CREATE INDEX IF NOT EXISTS events_of_task ON long.events (task_id)")
    con.execute("CREATE INDEX IF NOT EXISTS task ON long.tasks (task_id)")
    layout.stamp(con, "long")
