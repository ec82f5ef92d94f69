"""The tables and columns of a snapshot: what this software writes, and whether a snapshot has them.

The layout is derived, never numbered by hand. A run stores the hash of the columns it wrote and the
hash of the sources that define them. A reader with the same sources needs no further look; another
one works out the columns its own runs write, on empty tables, and compares.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import duckdb

from pipelines import lifecycle, worklist
from pipelines.errors import UserError
from pipelines.extracts import contract, contract_sql
from pipelines.staging.stage import Stager
from pipelines.warehouse import snapshots
from pipelines.warehouse.run_tables import RUN_TABLES

# The rooms whose sources define the columns of a snapshot.
ROOMS = ("extracts", "lifecycle", "staging", "warehouse", "worklist")
# The tables that each run takes over from the snapshot before, so their columns never go away.
TAKEN_OVER = frozenset({"events", "guards", "stays", "runs", "run_tables", "run_rules"})

Column = tuple[str, str, str]  # schema.table, column, type


def attach(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach a snapshot to be read by this software; UserError when its layout is another one."""
    snapshots.attach(con, path, name)
    stored_layout, stored_sources = _stored(con, name)
    if not is_current(stored_layout, stored_sources):
        check_not_newer(con, path, name)
        raise UserError(
            f"{path}: the snapshot has another format than this software writes; "
            "run the pipeline once more"
        )


def is_current(stored_layout: str | None, stored_sources: str | None) -> bool:
    """Whether a snapshot with these hashes has the columns that this software writes."""
    return stored_sources == sources() or stored_layout == current()


def check_not_newer(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """UserError when the history in a snapshot has columns that this software would lose."""
    if _stored(con, name)[1] == sources():
        return
    known = {(table, column) for table, column, _ in written_columns()}
    unknown = sorted(
        f"{table.removeprefix('main.')}.{column}"
        for table, column, _ in columns_of(con, name)
        if table.removeprefix("main.") in TAKEN_OVER and (table, column) not in known
    )
    if unknown:
        raise UserError(
            f"{path}: the snapshot is of a newer version of this software, which also keeps "
            f"{', '.join(unknown)}: upgrade it"
        )


def stamp(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Store in a finished snapshot which columns it has and which sources defined them."""
    con.execute(
        f"CREATE OR REPLACE TABLE {name}.snapshot AS "
        "SELECT $format AS format, $layout AS layout, $sources AS sources",
        {
            "format": snapshots.FORMAT,
            "layout": _digest(columns_of(con, name)),
            "sources": sources(),
        },
    )


def columns_of(con: duckdb.DuckDBPyConnection, name: str) -> list[Column]:
    """The columns of an attached snapshot, sorted."""
    return con.execute(
        "SELECT c.schema_name || '.' || c.table_name, c.column_name, c.data_type "
        "FROM duckdb_columns() AS c "
        "WHERE c.database_name = $name AND c.table_name <> 'snapshot' ORDER BY ALL",
        {"name": name},
    ).fetchall()


@cache
def current() -> str:
    """The hash of the layout that this software writes."""
    return _digest(written_columns())


@cache
def written_columns() -> list[Column]:
    """The columns of the snapshots that this software writes, from a snapshot of empty tables."""
    with snapshots.connect() as con:
        con.execute("ATTACH ':memory:' AS snapshot")
        for schema in ("snapshot.staging", "staging", "extract"):
            con.execute(f"CREATE SCHEMA {schema}")
        stager = Stager(con, dt.datetime(2000, 1, 1, tzinfo=dt.UTC), frozenset())
        for table in contract.TABLES:
            con.execute(contract_sql.table_sql(table))
            stager.load_by_line(table, is_accepted=False)
        stager.load_derived()
        for table, columns in RUN_TABLES.items():
            con.execute(f"CREATE TABLE snapshot.{table} ({columns})")
        con.execute("CREATE TABLE snapshot.tasks AS " + lifecycle.sql("empty_tasks"))
        con.execute("CREATE TABLE snapshot.events AS " + lifecycle.sql("empty_events"))
        con.execute("CREATE TABLE snapshot.held AS " + lifecycle.sql("empty_held"))
        con.execute("CREATE TEMP VIEW current_tasks AS FROM snapshot.tasks")
        con.execute("CREATE TEMP VIEW current_events AS FROM snapshot.events")
        lifecycle.create_move_kinds(con)
        con.execute("CREATE TABLE snapshot.stays AS " + lifecycle.sql("stays"))
        create_closed_tasks(con, dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
        return columns_of(con, "snapshot")


def create_closed_tasks(con: duckdb.DuckDBPyConnection, as_of: dt.datetime) -> None:
    """Store what lists show of closed tasks, which takes seconds for a million tasks."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moment AS SELECT CAST($at AS TIMESTAMPTZ) AS seen_at",
        {"at": as_of},
    )
    con.execute(
        "CREATE OR REPLACE TEMP VIEW current_tasks AS "
        "SELECT t.* FROM snapshot.tasks AS t WHERE t.state <> 'open'"
    )
    con.execute("CREATE OR REPLACE TEMP VIEW current_events AS FROM snapshot.events")
    con.execute("CREATE OR REPLACE TEMP TABLE rules AS FROM snapshot.rules")
    con.execute(
        "CREATE TABLE snapshot.closed_tasks AS " + worklist.sql("listed"), worklist.EVERY_TASK
    )


@cache
def sources() -> str:
    """The hash of the sources that define the columns of a snapshot."""
    folder = Path(__file__).parents[1]
    files = [path for room in ROOMS for path in sorted((folder / room).iterdir())]
    texts = [path.read_text(encoding="utf-8") for path in files if path.suffix in (".py", ".sql")]
    return _digest([duckdb.__version__, *texts])


def _stored(con: duckdb.DuckDBPyConnection, name: str) -> tuple[str | None, str | None]:
    """The hashes of layout and sources in a snapshot; None in one of format 3 or earlier."""
    stored = snapshots.row(con, f"FROM {name}.snapshot") or {}
    layout, its_sources = (stored.get(column) for column in ("layout", "sources"))
    return None if layout is None else str(layout), None if its_sources is None else str(
        its_sources
    )


def _digest(parts: Sequence[str | Column]) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]
