"""Build, publish and open warehouse snapshots: the only module that opens DuckDB.

A snapshot is one DuckDB file, written beside the live one and never changed once published.
`CURRENT` names the live one and is replaced by an atomic rename: a reader sees the old list or the
new one, and a run that dies publishes nothing.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd

from pipelines.errors import UserError
from pipelines.sql_files import literal

KEPT = 7  # snapshots kept, the live one included
FORMAT = 4  # from 4 on, a snapshot stores its layout: worklist/layout.py compares the columns
POINTER = ".CURRENT.building"  # the next pointer, before it is renamed to CURRENT
UNDONE = ".undone"  # ends the name of a snapshot that `run --undo` went back from
OLDEST = 1  # the oldest format that a run can go on from


def connect() -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB; its clock zone is UTC, so no result depends on the machine's."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    return con


def one(
    con: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Sequence[object] | Mapping[str, object] | None = None,
) -> tuple | None:
    """The first row, or None; fetches all rows, as an open result keeps the connection busy."""
    rows = con.execute(sql, parameters).fetchall()
    return rows[0] if rows else None


def first(
    con: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Sequence[object] | Mapping[str, object] | None = None,
) -> tuple:
    """The first row of a query that always has one."""
    found = one(con, sql, parameters)
    if found is None:
        raise LookupError("a query that always has a row gave none")
    return found


def has_table(con: duckdb.DuckDBPyConnection, database: str, table: str) -> bool:
    """Whether an attached database has a table of this name."""
    found = one(
        con,
        "SELECT 1 FROM duckdb_tables() AS t WHERE t.database_name = ? AND t.table_name = ?",
        [database, table],
    )
    return found is not None


def frame(con: duckdb.DuckDBPyConnection, sql: str, **parameters: object) -> pd.DataFrame:
    """The rows of a SELECT; whole numbers with gaps stay whole numbers."""
    return con.sql(sql, params=parameters).to_arrow_table().to_pandas(integer_object_nulls=True)


def row(con: duckdb.DuckDBPyConnection, sql: str, **parameters: object) -> dict[str, object] | None:
    """The first row of a SELECT by column name, or None."""
    found = con.execute(sql, parameters)
    names = [column[0] for column in found.description]
    rows = found.fetchall()
    return dict(zip(names, rows[0], strict=True)) if rows else None


def current(folder: Path) -> Path | None:
    """The live snapshot file, None before the first run; UserError when the pointer is broken."""
    try:
        name = (folder / "CURRENT").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        if all(path == _first_unpublished(folder) for path in folder.glob("*.duckdb")):
            return None
        raise UserError(
            f"{folder / 'CURRENT'} is missing: it names the live snapshot. {_kept(folder)}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{folder / 'CURRENT'}: the pointer to the live snapshot cannot be read "
            f"({type(error).__name__}). {_kept(folder)}"
        ) from None
    path = folder / name
    if "/" in name or not name.endswith(".duckdb") or not path.is_file():
        raise UserError(f"{folder / 'CURRENT'} names no snapshot that is here. {_kept(folder)}")
    return path


def _kept(folder: Path) -> str:
    names = ", ".join(sorted(path.name for path in folder.glob("*.duckdb"))) or "none"
    return f"Snapshots here: {names}. Write the newest one's name into CURRENT."


def way_back(folder: Path) -> str:
    """How to get rid of a list that is dated ahead, as an addition to a message."""
    live = current(folder)
    earlier = [path.name for path in sorted(folder.glob("*.duckdb")) if path != live]
    return (
        f"If its time is wrong, go back with run --undo; the lists before it: {', '.join(earlier)}."
        if earlier
        else "It is the only list here."
    )


def _first_unpublished(folder: Path) -> Path | None:
    """The snapshot of a first run that was killed before it could publish it, if any."""
    try:
        name = (folder / POINTER).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return folder / name if name.endswith(".duckdb") and "/" not in name else None


def attach(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach a published snapshot for reading, of this or an earlier version; UserError if not.

    Its columns may be of an earlier version: layout.attach takes only those this one writes.
    """
    try:
        con.execute(f"ATTACH {literal(path)} AS {name} (READ_ONLY)")
        found = one(con, f"SELECT format FROM {name}.snapshot")
    except duckdb.Error as error:
        raise UserError(damaged(path, error)) from None
    if found is None or found[0] < OLDEST:
        raise UserError(f"{path}: this is no snapshot of this software")
    if found[0] > FORMAT:
        raise UserError(
            f"{path}: the snapshot has format {found[0]}, of a newer version of this software, "
            f"which reads up to {FORMAT}: upgrade it"
        )


def damaged(path: Path, error: duckdb.Error) -> str:
    """The message for a snapshot that cannot be read, with the way to go on without it."""
    kept = ", ".join(sorted(p.name for p in path.parent.glob("*.duckdb") if p != path)) or "none"
    return (
        f"{path}: the snapshot cannot be read ({type(error).__name__}); it is damaged or of "
        f"another version. Other snapshots here: {kept}. "
        "Write the newest sound one's name into CURRENT "
        "and run the pipeline: what people did is in the ledger."
    )


@contextmanager
def one_run_at_a_time(folder: Path) -> Iterator[None]:
    """Hold the folder's lock for a run; UserError at once when another run holds it.

    The lock ends with its process.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "w", encoding="utf-8")  # noqa: SIM115 - held for the run
    except OSError as error:
        raise UserError(f"{folder}: cannot be written to ({error.strerror})") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{folder}: another run is going on; this one did nothing") from None
        remove_unfinished(folder)  # of a run that was killed
        yield


def remove_unfinished(folder: Path) -> None:
    """Remove the files of snapshots that were never published."""
    first = _first_unpublished(folder)
    if first is not None and not (folder / "CURRENT").exists():
        first.unlink(missing_ok=True)
    for left in folder.glob(".*.building*"):
        left.unlink(missing_ok=True)


def building(folder: Path, run_id: str) -> Path:
    """Where a run writes its snapshot before it is published."""
    return folder / f".{run_id}.building"


def attach_new(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Attach a new snapshot file for writing as `snapshot`."""
    # One checkpoint when it is detached: a tenth faster than one for each table.
    con.execute("SET checkpoint_threshold = '1TB'")
    con.execute(f"ATTACH {literal(path)} AS snapshot")
    con.execute("CREATE SCHEMA snapshot.staging")


def publish(con: duckdb.DuckDBPyConnection, folder: Path, run_id: str) -> Path:
    """Close the new snapshot, make it durable, point CURRENT at it, and drop the oldest ones."""
    source, target = building(folder, run_id), folder / f"{run_id}.duckdb"
    con.execute("DETACH snapshot")
    sync(source)
    pointer = _write_pointer(folder, target.name)
    os.replace(source, target)
    _point(folder, pointer)
    for old in [*sorted(folder.glob("*.duckdb"))[:-KEPT], *folder.glob(f"*{UNDONE}")]:
        if old != target:
            old.unlink(missing_ok=True)
    return target


def go_back(folder: Path, live: Path, before: Path) -> None:
    """Make `before` the live snapshot; `live` is kept under another name until the next run."""
    _point(folder, _write_pointer(folder, before.name))
    os.replace(live, live.with_name(live.name + UNDONE))


def _write_pointer(folder: Path, name: str) -> Path:
    """Write the next pointer; before the first list, it tells a killed run from a lost pointer."""
    pointer = folder / POINTER
    pointer.write_text(name + "\n", encoding="utf-8")
    sync(pointer)
    return pointer


def _point(folder: Path, pointer: Path) -> None:
    """Publish what the pointer names."""
    name = pointer.read_text(encoding="utf-8").strip()
    os.replace(pointer, folder / "CURRENT")
    try:
        sync(folder)
    except OSError as error:
        raise UserError(
            f"{folder / name}: this list is live now, but the disk did not confirm it "
            f"({error.strerror}), so after a power failure it may be the previous one: "
            "check the disk."
        ) from None


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


ROWS_AT_ONCE = 200  # of a small table, in one INSERT


def create_table(
    con: duckdb.DuckDBPyConnection, name: str, columns: str, rows: list[tuple]
) -> None:
    con.execute(f"CREATE OR REPLACE {'TABLE' if '.' in name else 'TEMP TABLE'} {name} ({columns})")
    insert(con, name, rows)


def insert(con: duckdb.DuckDBPyConnection, name: str, rows: list[tuple]) -> None:
    # For small tables: one statement takes a millisecond where one for each row takes ten.
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in some)
        con.execute(f"INSERT INTO {name} VALUES {marks}", [value for row in some for value in row])
