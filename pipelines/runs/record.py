"""One run: read → check → stage → rules → lifecycle → publish. Either all of it is published or nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

import duckdb

from pipelines import worklist
from pipelines.extracts.read import TableRead
from pipelines.rules.evaluate import RuleResult
from pipelines.rules.model import Applied
from pipelines.vocabulary import CLOSED_BY_RUN
from pipelines.warehouse import snapshots


def record(
    con: duckdb.DuckDBPyConnection,
    run_no: int,
    run_id: str,
    as_of: dt.datetime,
    folded_seq: int,
    folder: Path,
    applied: Applied,
    reads: list[TableRead],
    answers: list[RuleResult],
    decisions: Mapping[str, Mapping[str, int]],
) -> None:
    """Write the run's own record: what it read, whom it asked, with which parameters, and what came of it."""
    parameters = json.dumps(
        {
            r.rule_id: {"params": r.params, "payers": applied.payers.get(r.rule_id, {})}
            for r in applied.rules.values()
        },
        sort_keys=True,
    )
    con.execute(f"CREATE TABLE snapshot.snapshot AS SELECT {snapshots.FORMAT} AS format")
    _append(
        con,
        "runs",
        "run_no INTEGER, run_id VARCHAR, as_of TIMESTAMPTZ, folded_seq BIGINT, parameters VARCHAR, extracts VARCHAR",
        [(run_no, run_id, as_of, folded_seq, parameters, str(folder.resolve()))],
    )
    _append(
        con,
        "run_tables",
        "run_no INTEGER, table_name VARCHAR, status VARCHAR, reason VARCHAR, files VARCHAR, rows_read BIGINT, rows_staged BIGINT, "
        "rows_refused BIGINT, extracted_at TIMESTAMPTZ, horizon_on DATE, warnings VARCHAR",
        [
            (
                run_no,
                r.table,
                r.status,
                r.reason,
                "\n".join(r.files),
                r.rows_read,
                r.rows_staged,
                r.rows_refused,
                r.extracted_at,
                r.horizon_on,
                "\n".join(r.warnings),
            )
            for r in reads
        ],
    )
    _append(
        con,
        "run_rules",
        "run_no INTEGER, rule_id VARCHAR, is_answered BOOLEAN, reason VARCHAR, candidates BIGINT, opened BIGINT, cleared BIGINT, converted BIGINT, "
        "discharged BIGINT, source_gone BIGINT, held BIGINT",
        [
            (
                run_no,
                a.rule_id,
                a.is_answered,
                a.reason,
                a.candidates,
                *(
                    decisions.get(a.rule_id, {}).get(kind, 0)
                    for kind in ("open", *CLOSED_BY_RUN, "hold")
                ),
            )
            for a in answers
        ],
    )
    con.execute(
        "CREATE TABLE snapshot.rejected_rows AS "
        "SELECT $run_no AS run_no, r.table_name, r.file, r.line, r.column_name, r.check_name FROM extract.refused_rows AS r",
        {"run_no": run_no},
    )
    columns = "rule_id VARCHAR, title VARCHAR, category VARCHAR, clears VARCHAR, clears_when VARCHAR, purpose VARCHAR, due_days INTEGER"
    asked = [
        (r.rule_id, r.title, r.category, r.clears, r.clears_when, r.purpose, r.due_days)
        for r in applied.rules.values()
    ]
    snapshots.create_table(con, "snapshot.rules", columns, asked)
    # The tasks of a rule that was taken away stay, and with them its name: a list and its totals must not lose them.
    _take_over(
        con,
        "rules",
        "WHERE rule_id IN (SELECT t.rule_id FROM snapshot.tasks AS t ANTI JOIN snapshot.rules AS r ON t.rule_id = r.rule_id)",
    )


def make_quick_to_read(con: duckdb.DuckDBPyConnection, as_of: dt.datetime) -> None:
    """Write down what the list says of closed tasks, since it stays so until the next run and takes seconds to work out for a million; indexes."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moment AS SELECT CAST($at AS TIMESTAMPTZ) AS seen_at",
        {"at": as_of},
    )
    con.execute(
        "CREATE OR REPLACE TEMP VIEW current_tasks AS SELECT t.* FROM snapshot.tasks AS t WHERE t.state <> 'open'"
    )
    con.execute("CREATE OR REPLACE TEMP VIEW current_events AS FROM snapshot.events")
    con.execute("CREATE OR REPLACE TEMP TABLE rules AS FROM snapshot.rules")
    con.execute(
        "CREATE TABLE snapshot.closed_tasks AS " + worklist.sql("listed"), worklist.EVERY_TASK
    )
    # A patient's history and each action look up the events of a few tasks: 3 ms with this instead of 50 in a history of two million.
    con.execute("CREATE INDEX events_of_task ON snapshot.events (task_id)")
    con.execute("CREATE INDEX task ON snapshot.tasks (task_id)")


def _append(con: duckdb.DuckDBPyConnection, name: str, columns: str, rows: list[tuple]) -> None:
    """A table of the run history: the previous snapshot's rows and this run's."""
    con.execute(f"CREATE TABLE snapshot.{name} ({columns})")
    _take_over(con, name)
    snapshots.insert(con, f"snapshot.{name}", rows)


def _take_over(con: duckdb.DuckDBPyConnection, name: str, which: str = "") -> None:
    """Rows of the previous snapshot, where there is one."""
    if snapshots.one(
        con,
        "SELECT 1 FROM duckdb_tables() WHERE database_name = 'previous' AND table_name = ?",
        [name],
    ):
        con.execute(f"INSERT INTO snapshot.{name} BY NAME FROM previous.{name} {which}")
