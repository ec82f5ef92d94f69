"""Open the ledger's database: its engine, SQLite's settings, the migrations, error messages.

The tables are in `schema`; what is written to them in the module of each.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from pipelines.errors import UserError, disk_problem
from pipelines.ledger import schema

BUSY_SECONDS = 30  # how long a writer waits for another one; a write takes about a millisecond
SWITCH_SECONDS = 0.02  # between two tries to make a new SQLite file a write-ahead one
MIGRATING = 20261103  # the advisory lock held while a PostgreSQL ledger is migrated
_GONE = (
    "There is no ledger at {name}, and the list was made with one. Put it back, restore a backup "
    "(restore), or go on with an empty one on purpose: python -m pipelines ledger adopt"
)
_ADVICE = {
    "is locked": " by another program for too long; try again",
    "unable to open": " (is it a file, and may you read and write it and its folder?)",
    "disk I/O error": " (is its disk full or broken?)",
    "not a database": "; WORKBENCH_LEDGER must name the ledger's own file",
    "readonly": " (may you write the file and its folder?)",
}


class NoLedger(UserError):
    """No ledger has been made at this URL yet."""


class Database(NamedTuple):
    """An open ledger's engine, its name in messages, and its file where it is one."""

    engine: sa.Engine
    name: str
    file: Path | None = None


def connect(url: str, *, read_only: bool, is_listed: bool = False) -> Database:
    """Open the ledger at an SQLAlchemy URL; it is made or migrated unless it is `read_only`.

    With `is_listed` a list was made with it, so it must be there already.
    """
    try:
        parsed = sa.make_url(url)
        name = _name(parsed)
        file = _file_of(parsed)
        if is_listed and file is not None and not file.is_file():
            raise NoLedger(_GONE.format(name=name))
        engine = (
            _sqlite_engine(parsed, name, read_only)
            if parsed.get_backend_name() == "sqlite"
            else _server_engine(parsed, read_only)
        )
    except (sa.exc.ArgumentError, ValueError):
        # The URL may hold a password, so it is not repeated.
        raise UserError(
            "The ledger's URL is not one SQLAlchemy understands; "
            "for a file write sqlite:///data/ledger.sqlite."
        ) from None
    except ImportError as error:
        raise UserError(
            f"The ledger's database needs a Python package that is not installed: {error}."
        ) from None
    try:
        _migrate(engine, name, read_only=read_only, is_listed=is_listed)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, name, file)


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn a driver's error into a UserError that says what to do."""
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except sa.exc.DBAPIError as error:
        said = str(error.orig).strip().splitlines()[0]
        advice = next((advice for words, advice in _ADVICE.items() if words in said), "")
        if why := disk_problem(Path(name).absolute().parent):
            advice = f" ({why})"
        raise UserError(f"The ledger {name} cannot be used: {said}{advice}.") from None


def _file_of(url: sa.URL) -> Path | None:
    """The file of a SQLite ledger, None for a server or memory."""
    file = url.database or ":memory:"
    is_file = url.get_backend_name() == "sqlite" and not file.startswith((":memory:", "file:"))
    return Path(file) if is_file else None


def _name(url: sa.URL) -> str:
    """The ledger as messages name it: the file, or the URL without its password."""
    return (
        url.database or "in memory"
        if url.get_backend_name() == "sqlite"
        else url.render_as_string(hide_password=True)
    )


def _engine(url: sa.URL) -> sa.Engine:
    # An unexpected error prints its statement; the values in it are patients'.
    return sa.create_engine(url, hide_parameters=True)


def _server_engine(url: sa.URL, read_only: bool) -> sa.Engine:
    """An engine for a database server."""
    # pool_pre_ping replaces a connection that the server or a firewall has dropped.
    engine = sa.create_engine(url, hide_parameters=True, pool_pre_ping=True)
    return engine.execution_options(postgresql_readonly=True) if read_only else engine


def _sqlite_engine(url: sa.URL, name: str, read_only: bool) -> sa.Engine:
    """An engine for a SQLite file, with the settings that only SQLite needs."""
    file = _file_of(url)
    copy: tempfile.TemporaryDirectory[str] | None = None
    try:
        if file is not None and read_only and not file.is_file():
            raise NoLedger(
                f"There is no ledger at {name}: a run makes it (python -m pipelines run), "
                "or WORKBENCH_LEDGER points elsewhere."
            )
        if file is not None and not read_only:
            file.parent.mkdir(parents=True, exist_ok=True)
        if file is not None and read_only and os.statvfs(file.parent).f_flag & os.ST_RDONLY:
            copy = _copied(file)
            url = url.set(database=str(Path(copy.name, file.name)))
    except OSError as error:
        raise UserError(
            f"The folder of the ledger {name} cannot be made or read: {error.strerror}."
        ) from None
    busy_seconds = float(str(url.query.get("timeout", BUSY_SECONDS)))
    engine = _engine(url)
    if copy is not None:
        sa.event.listen(engine, "engine_disposed", lambda _engine: copy.cleanup())

    @sa.event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        # Python's driver would begin by itself, too late for IMMEDIATE.
        connection.isolation_level = None
        if not read_only:
            _switch_to_wal(connection, busy_seconds)
        connection.execute(f"PRAGMA busy_timeout = {round(busy_seconds * 1000)}")
        connection.execute(f"PRAGMA query_only = {int(read_only)}")
        # Committed means on disk, also after a power failure.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A transaction that reads before it writes cannot wait for the lock: lock at the start.
        connection.exec_driver_sql(
            "BEGIN IMMEDIATE" if connection.get_execution_options().get("is_writing") else "BEGIN"
        )

    return engine


def _copied(file: Path) -> tempfile.TemporaryDirectory[str]:
    """A copy of a SQLite file on a read-only disk, where SQLite cannot read a write-ahead log."""
    folder = tempfile.TemporaryDirectory(prefix="workbench-ledger-")
    for part in (file, file.with_name(file.name + "-wal")):
        if part.is_file():
            shutil.copyfile(part, Path(folder.name, part.name))
    return folder


def _switch_to_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch the file to a write-ahead log, so that readers and the writer do not block."""
    # SQLite does not wait when two processes switch a new file at once: wait here.
    connection.execute("PRAGMA busy_timeout = 0")
    for wait in range(round(busy_seconds / SWITCH_SECONDS), -1, -1):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or wait == 0:
                raise
            time.sleep(SWITCH_SECONDS)


def _migrate(engine: sa.Engine, name: str, *, read_only: bool, is_listed: bool) -> None:
    newest = schema.NEWEST
    with explained(name), engine.begin() as connection:
        version = schema.version_of(connection)
    if version == 0 and is_listed:
        raise NoLedger(_GONE.format(name=name))
    if version == 0 and read_only:
        raise NoLedger(f"The ledger {name} is empty: a run makes it (python -m pipelines run).")
    if version > newest:
        raise UserError(
            f"The ledger {name} has version {version}, and this software supports versions up to "
            f"{newest}: upgrade the software."
        )
    if version < newest and read_only:
        raise UserError(
            f"The ledger {name} has version {version} and is read as version {newest}: "
            "a run brings it up to date."
        )
    for number, migration in schema.MIGRATIONS:
        if number > version:
            with explained(name), engine.execution_options(is_writing=True).begin() as connection:
                # Two processes must not create the same table at once.
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATING)))
                schema.apply(connection, number, migration)
