"""Backup and restore of the ledger and the live snapshot.

A backup is a folder: `ledger.sqlite` with every row of the ledger, whatever database it is kept in,
the live snapshot, the practice's own sources with what they keep, and `manifest.json` with the
digest of each file. A restore therefore also moves a ledger from SQLite to PostgreSQL and back.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger import identity, schema
from pipelines.ledger.database import connect, explained
from pipelines.operations import kept_sources
from pipelines.settings import Settings
from pipelines.warehouse import snapshots

LEDGER, MANIFEST = "ledger.sqlite", "manifest.json"
TABLES = (
    schema.actions,
    schema.accesses,
    schema.saved_views,
    schema.sessions,
    schema.brought_in,
    schema.accepted_guards,
    schema.sign_ins,
)
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Backup:
    """What a backup holds: rows by ledger table and the snapshot's file name, None without one."""

    folder: Path
    made_at: str
    rows: dict[str, int]
    snapshot: str | None


def back_up(settings: Settings, out: Path, at: dt.datetime) -> Backup:
    """Copy ledger and live snapshot to a new folder in `out`, while people and runs go on.

    UserError, and nothing is kept, when it cannot be completed.
    """
    made_at = at.astimezone(dt.UTC).isoformat()
    target = out / f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    making = out / f".{target.name}.making"
    try:
        if target.exists():
            raise UserError(f"{target} exists already; a backup is never overwritten")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        # The snapshot first: the ledger then knows at least the actions the snapshot holds.
        snapshot = _copy_snapshot(settings, making)
        rows = _copy_ledger(settings, making / LEDGER)
        kept_sources.copy(settings.sources, making)
        files = {path.name: _digest(path) for path in sorted(making.iterdir())}
        manifest = {
            "made_at": made_at,
            "rows": rows,
            "snapshot": snapshot,
            "files": files,
        }
        (making / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        for path in (*making.iterdir(), making):
            snapshots.sync(path)
        os.replace(making, target)
        snapshots.sync(out)
    except UserError:
        shutil.rmtree(making, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        raise UserError(
            f"{error.filename or out}: the backup could not be written ({error.strerror}); "
            "nothing was kept of it"
        ) from None
    return Backup(target, made_at, rows, snapshot)


def restore(settings: Settings, folder: Path) -> Backup:
    """Put a backup's ledger and snapshot in the places of the settings, which must be empty.

    UserError, and nothing is restored, when a file is not as it was or a place is not empty.
    """
    backup = _checked(folder)
    if snapshots.current(settings.warehouse) is not None:
        raise UserError(
            f"{settings.warehouse} has a published list; move it away first, "
            "a restore overwrites nothing"
        )
    kept_sources.check_free(settings.sources, folder)
    engine, name, _ = connect(settings.ledger_url, read_only=False)
    with explained(name), engine.execution_options(is_writing=True).begin() as connection:
        for table in TABLES:
            if connection.scalar(sa.select(sa.func.count()).select_from(table)):
                raise UserError(
                    f"The ledger {name} has {table.name} already; move it away first, "
                    "a restore overwrites nothing"
                )
        for table in TABLES:
            for rows in _rows(folder / LEDGER, table):
                connection.execute(table.insert(), rows)
            if connection.dialect.name == "postgresql":  # continue the numbers
                column = sa.func.pg_get_serial_sequence(table.name, "seq")
                newest = connection.scalar(sa.select(sa.func.max(table.c.seq)))
                connection.execute(
                    sa.select(sa.func.setval(column, newest or 1, newest is not None))
                )
        with _reading(folder / LEDGER) as reading:
            identity.carry_over(reading, connection)
    engine.dispose()
    if backup.snapshot is not None:
        settings.warehouse.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / backup.snapshot, settings.warehouse / backup.snapshot)
        snapshots.sync(settings.warehouse / backup.snapshot)
        (settings.warehouse / "CURRENT").write_text(backup.snapshot + "\n", encoding="utf-8")
    kept_sources.restore(settings.sources, folder)
    return backup


def _copy_snapshot(settings: Settings, folder: Path) -> str | None:
    live = snapshots.current(settings.warehouse)
    if live is None:
        return None
    shutil.copyfile(live, folder / live.name)
    return live.name


def _copy_ledger(settings: Settings, file: Path) -> dict[str, int]:
    """Copy every row, all as of one moment, into a ledger file; rows by table."""
    source, name, _ = connect(settings.ledger_url, read_only=True)
    target, _, _ = connect(f"sqlite:///{file}", read_only=False)
    counts = {}
    with (
        explained(name),
        source.connect() as reading,
        target.execution_options(is_writing=True).begin() as writing,
    ):
        if reading.dialect.name == "postgresql":
            reading = reading.execution_options(isolation_level="REPEATABLE READ")
        with reading.begin():
            for table in TABLES:
                counts[table.name] = 0
                for rows in (
                    reading.execution_options(yield_per=ROWS_AT_ONCE)
                    .execute(sa.select(table).order_by(table.c.seq))
                    .mappings()
                    .partitions()
                ):
                    writing.execute(table.insert(), [dict(row) for row in rows])
                    counts[table.name] += len(rows)
            identity.carry_over(reading, writing)
    source.dispose()
    with target.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    target.dispose()
    return counts


@contextmanager
def _reading(file: Path) -> Iterator[sa.Connection]:
    engine = sa.create_engine(f"sqlite:///file:{file}?mode=ro&uri=true", hide_parameters=True)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _rows(file: Path, table: sa.Table) -> Iterator[list[dict[str, object]]]:
    with _reading(file) as connection:
        if not sa.inspect(connection).has_table(table.name):
            return  # a backup of an older version
        for rows in (
            connection.execution_options(yield_per=ROWS_AT_ONCE)
            .execute(sa.select(table).order_by(table.c.seq))
            .mappings()
            .partitions()
        ):
            yield [dict(row) for row in rows]


def _checked(folder: Path) -> Backup:
    """The backup, once every file has the digest it was made with."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        for name, digest in manifest["files"].items():
            if "/" in name or _digest(folder / name) != digest:
                raise UserError(
                    f"{folder / name} is not as it was when the backup was made; "
                    "nothing was restored"
                )
        with sqlite3.connect(f"file:{folder / LEDGER}?mode=ro", uri=True) as connection:
            (said,) = connection.execute("PRAGMA integrity_check").fetchone()
        connection.close()
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: a backup has this file; nothing was restored") from None
    except (OSError, ValueError, KeyError, sqlite3.Error) as error:
        raise UserError(
            f"{folder}: the backup cannot be read ({type(error).__name__}); nothing was restored"
        ) from None
    if said != "ok":
        raise UserError(
            f"{folder / LEDGER}: the ledger in the backup is damaged; nothing was restored"
        )
    return Backup(folder, manifest["made_at"], manifest["rows"], manifest["snapshot"])


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
