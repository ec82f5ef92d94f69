"""One run: read → check → stage → rules → lifecycle → publish. Either all of it is published or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import duckdb

from pipelines import lifecycle
from pipelines.extracts.read import TableRead
from pipelines.ledger.actions import Action
from pipelines.lifecycle.apply_actions import apply_actions
from pipelines.rules import evaluate, model
from pipelines.rules.evaluate import RuleResult
from pipelines.warehouse import snapshots


def fold_actions(con: duckdb.DuckDBPyConnection, acted: list[Action], last_event_no: int) -> None:
    apply_actions(con, "previous.tasks", acted, "folded_tasks")
    con.execute(
        "CREATE TABLE snapshot.events AS " + lifecycle.sql("empty_events")
    )  # with the columns of this software, if the last was older
    con.execute("INSERT INTO snapshot.events BY NAME FROM previous.events")
    con.execute(
        "INSERT INTO snapshot.events BY NAME " + lifecycle.sql("folded_events"),
        {"last_event_no": last_event_no},
    )


def decide(
    con: duckdb.DuckDBPyConnection,
    previous_event_no: int,
    found_rules: Mapping[str, model.Rule],
    answers: list[RuleResult],
    reads: Mapping[str, TableRead],
    as_of: dt.datetime,
) -> dict[str, dict[str, int]]:
    answered = {answer.rule_id: answer.is_answered for answer in answers}
    snapshots.create_table(
        con,
        "rules",
        "rule_id VARCHAR, clears VARCHAR, clears_when VARCHAR, ends_at_discharge BOOLEAN, subject_table VARCHAR, period VARCHAR, is_answered BOOLEAN",
        [
            (
                r.rule_id,
                r.clears,
                r.clears_when,
                r.ends_at_discharge,
                r.subject_table,
                r.period,
                answered[r.rule_id],
            )
            for r in found_rules.values()
        ],
    )
    snapshots.create_table(
        con,
        "conversion_rules",
        "rule_id VARCHAR, target_rule_id VARCHAR, position INTEGER",
        [
            (r.rule_id, target, n)
            for r in found_rules.values()
            for n, target in enumerate(r.converts_to)
        ],
    )
    # A refused parent takes its children with it as orphans, so the rows that count are in all the tables a rule needs.
    needed = [
        (r.rule_id, table, table in r.reads)
        for r in found_rules.values()
        for table in sorted(evaluate.needed_tables(r))
    ]
    snapshots.create_table(
        con, "rule_reads", "rule_id VARCHAR, table_name VARCHAR, is_read BOOLEAN", needed
    )
    con.execute("CREATE OR REPLACE TEMP TABLE refused_ids AS FROM extract.refused_ids")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE refused_unnamed AS FROM extract.refused_unattributable"
    )
    con.execute("CREATE OR REPLACE TEMP VIEW subjects AS " + lifecycle.sql("subjects"))
    con.execute("CREATE OR REPLACE TEMP TABLE decisions AS " + lifecycle.sql("decisions"))
    has_payers = all(reads[table].status == "accepted" for table in ("policies", "payers"))
    con.execute(
        "CREATE TABLE snapshot.tasks AS " + lifecycle.sql("tasks"),
        {"as_of": as_of, "has_payers": has_payers},
    )
    (last_event_no,) = snapshots.one(con, "SELECT COALESCE(MAX(event_no), 0) FROM snapshot.events")
    con.execute(
        "INSERT INTO snapshot.events BY NAME " + lifecycle.sql("events"),
        {"as_of": as_of, "last_event_no": last_event_no, "has_payers": has_payers},
    )
    keep_stays(con, previous_event_no)
    counts: dict[str, dict[str, int]] = {}
    for rule_id, decision, count in con.execute(
        "SELECT rule_id, decision, COUNT(*) FROM decisions WHERE decision NOT IN ('none', 'away', 'refresh') GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        counts.setdefault(rule_id, {})[decision] = count
    return counts


def keep_stays(con: duckdb.DuckDBPyConnection, previous_event_no: int) -> None:
    """Keep when each task was on the list; only those this run or somebody touched since the last run can have changed."""
    con.execute("CREATE OR REPLACE TEMP VIEW current_tasks AS FROM snapshot.tasks")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moved AS SELECT DISTINCT e.task_id FROM snapshot.events AS e WHERE e.event_no > ?",
        [previous_event_no],
    )
    is_kept = (
        snapshots.one(
            con,
            "SELECT 1 FROM duckdb_tables() WHERE database_name = 'previous' AND table_name = 'stays'",
        )
        is not None
    )
    events = (
        "SELECT e.* FROM snapshot.events AS e SEMI JOIN moved AS m ON e.task_id = m.task_id"
        if is_kept
        else "FROM snapshot.events"
    )
    con.execute(f"CREATE OR REPLACE TEMP VIEW current_events AS {events}")
    con.execute("CREATE TABLE snapshot.stays AS " + lifecycle.sql("stays"))
    if is_kept:
        con.execute(
            "INSERT INTO snapshot.stays BY NAME SELECT s.* FROM previous.stays AS s ANTI JOIN moved AS m ON s.task_id = m.task_id"
        )
