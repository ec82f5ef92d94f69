"""The published snapshot that a run goes on from."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb

from pipelines import lifecycle, staging
from pipelines.extracts import contract
from pipelines.extracts.outcome import Previous
from pipelines.ledger import belonging
from pipelines.lifecycle.context import HISTORY_DAYS, GoLive, PreviousRun
from pipelines.runs import sql
from pipelines.warehouse import snapshots
from pipelines.worklist import layout


def attach_previous(con: duckdb.DuckDBPyConnection, warehouse: Path) -> PreviousRun:
    """Attach the live snapshot as `previous`, or an empty stand-in before the first run."""
    path = snapshots.current(warehouse)
    if path is None:
        _attach_nothing(con)
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
        run_no,
        as_of,
        applied_seq,
        tuple(seq for (seq,) in waiting),
        last_event_no,
        tables,
        _go_live(con),
        belonging.of_list(con, "previous"),
    )


def begin_anew(con: duckdb.DuckDBPyConnection, before: PreviousRun) -> PreviousRun:
    """Put an empty stand-in in the place of a first list that nobody has worked with."""
    con.execute("DETACH previous")
    _attach_nothing(con)
    return PreviousRun(run_no=before.run_no, of_list=before.of_list)


def _attach_nothing(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("ATTACH ':memory:' AS previous")
    con.execute("CREATE TABLE previous.tasks AS " + lifecycle.sql("empty_tasks"))
    con.execute("CREATE TABLE previous.events AS " + lifecycle.sql("empty_events"))


def _go_live(con: duckdb.DuckDBPyConnection) -> GoLive:
    """What the newest run went by; snapshots of earlier versions do not know of a go-live."""
    # SELECT r.*, because their runs have no such columns.
    newest = snapshots.row(con, "SELECT r.* FROM previous.runs AS r ORDER BY r.run_no DESC LIMIT 1")
    day, history_days = (newest or {}).get("go_live"), (newest or {}).get("history_days")
    return GoLive(
        day if isinstance(day, dt.date) else None,
        history_days if isinstance(history_days, int) else HISTORY_DAYS,
    )


def staged_tables(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The tables that the previous snapshot has staged."""
    rows = con.execute(
        "SELECT t.table_name FROM duckdb_tables() AS t "
        "WHERE t.database_name = 'previous' AND t.schema_name = 'staging'"
    ).fetchall()
    return frozenset(table for (table,) in rows)


def staged_extracts(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The extract tables whose staged rows the previous snapshot has."""
    return staged_tables(con) & (frozenset(contract.TABLES) - staging.NOT_SHOWN)
