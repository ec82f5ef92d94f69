"""The published snapshot that a run goes on from."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines import lifecycle
from pipelines.extracts.read import Previous
from pipelines.lifecycle.context import PreviousRun
from pipelines.runs import sql
from pipelines.warehouse import snapshots
from pipelines.worklist import layout


def attach_previous(con: duckdb.DuckDBPyConnection, warehouse: Path) -> PreviousRun:
    """Attach the live snapshot as `previous`, or an empty stand-in before the first run."""
    path = snapshots.current(warehouse)
    if path is None:
        con.execute("ATTACH ':memory:' AS previous")
        con.execute("CREATE TABLE previous.tasks AS " + lifecycle.sql("empty_tasks"))
        con.execute("CREATE TABLE previous.events AS " + lifecycle.sql("empty_events"))
        return PreviousRun()
    snapshots.attach(con, path, "previous")
    layout.check_not_newer(con, path, "previous")
    run_no, as_of, applied_seq, last_event_no = snapshots.first(con, sql("previous_run"))
    tables = {
        table: Previous(rows_read, extracted_at, rows_refused)
        for table, rows_read, extracted_at, rows_refused in con.execute(
            sql("previous_tables")
        ).fetchall()
    }
    waiting = con.execute(
        "SELECT w.seq FROM previous.waiting_actions AS w ORDER BY w.seq"
    ).fetchall()
    return PreviousRun(
        run_no, as_of, applied_seq, tuple(seq for (seq,) in waiting), last_event_no, tables
    )


def staged_tables(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The tables that the previous snapshot has staged."""
    rows = con.execute(
        "SELECT t.table_name FROM duckdb_tables() AS t "
        "WHERE t.database_name = 'previous' AND t.schema_name = 'staging'"
    ).fetchall()
    return frozenset(table for (table,) in rows)
