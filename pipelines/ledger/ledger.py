"""The open ledger: append-only, a returned `record` is on disk.

SQLite by default, another database by its URL. What each table holds is in the module of its name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger import (
    accepted_guards,
    accesses,
    actions,
    brought_in,
    identity,
    sessions,
    views,
)
from pipelines.ledger.accepted_guards import AcceptedGuard
from pipelines.ledger.accesses import Access, RecordedAccess
from pipelines.ledger.actions import Action, Conflict, NewAction
from pipelines.ledger.brought_in import BroughtIn
from pipelines.ledger.database import Database, connect, explained
from pipelines.ledger.identity import Adoption, Identity
from pipelines.ledger.schema import ledger_version
from pipelines.ledger.sessions import SessionEvent
from pipelines.ledger.views import SavedView

_REPLACED = (
    "The ledger {name} was replaced while the program had it open, and it may lack what was just "
    "done. Look at the list again, and do it again where it is not there."
)


class Ledger:
    """An open ledger; threads may share it, and any number of processes may open the same one."""

    def __init__(self, database: Database) -> None:
        self.engine, self.name, self._file = database
        self._inode = _inode(self._file)
        self._identity: Identity | None = None  # as last read

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def identity(self) -> Identity:
        """Which ledger this is, and the newest number of an action."""
        with self.reading() as connection:
            self._identity = identity.read(connection)
        return self._identity

    def is_adopted_without_list(self) -> bool:
        """Whether somebody allowed a new list to begin with the actions that are here now."""
        with self.reading() as connection:
            return identity.is_adopted_without_list(connection)

    def adopt(self, new: Adoption) -> None:
        """Give the ledger another identity; see belonging.py."""
        with self.writing() as connection:
            identity.adopt(connection, new)
        self._identity = None

    def last_seq(self) -> int:
        """The number of the newest action, 0 when there is none."""
        with self.reading() as connection:
            return actions.last_seq(connection)

    def last_seq_of(self, task_id: str) -> int:
        """The number of the newest action on this task, 0 when there is none."""
        with self.reading() as connection:
            return actions.last_seq(connection, task_id)

    def actions(
        self, after: int = 0, task_id: str | None = None, also: Sequence[int] = ()
    ) -> list[Action]:
        """The actions with seq > after or in `also`, in order of seq; of one task if given."""
        with self.reading() as connection:
            return actions.read(connection, after, task_id, also)

    def record(self, new: NewAction, seen: int) -> Action:
        """Write one action; Conflict when its task has an action newer than `seen`."""
        recorded, conflicts = self.record_many([(new, seen)])
        if conflicts:
            raise conflicts[0]
        return recorded[0]

    def record_many(
        self, wanted: Sequence[tuple[NewAction, int]]
    ) -> tuple[list[Action], list[Conflict]]:
        """Write each (action, seen) that does not conflict, in the order given, in one transaction.

        `seen` is any seq at which the writer knew the task.
        """
        for new, _ in wanted:
            actions.check(new)
        try:
            return self._append(wanted)
        except sa.exc.IntegrityError:
            # The unique key found a rival that this transaction could not see; a new one sees it.
            return self._append(wanted)

    def _append(
        self, wanted: Sequence[tuple[NewAction, int]]
    ) -> tuple[list[Action], list[Conflict]]:
        with self.writing() as connection:
            return actions.append(connection, self.name, wanted)

    def prove_writable(self) -> int:
        """The newest action's number, read as a writer; UserError when nobody can write now."""
        with self.writing() as connection:
            return actions.last_seq(connection)

    def record_access(
        self,
        *,
        at: dt.datetime,
        staff_id: str,
        patient_id: str,
        kind: str,
        detail: str | None = None,
    ) -> None:
        """Record that somebody looked at a patient: `kind` says where, such as a page."""
        self.record_accesses([Access(at, staff_id, patient_id, kind, detail)])

    def record_accesses(self, rows: Sequence[Access]) -> None:
        """Record every access or none of them, numbered in the order of their patients."""
        for row in rows:
            accesses.check(row)
        if rows:
            with self.writing() as connection:
                accesses.append(connection, rows)

    def accesses(
        self,
        *,
        patient_id: str | None = None,
        staff_id: str | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[RecordedAccess]:
        """The newest `limit` accesses with seq > after, newest first; of a patient, of a person."""
        with self.reading() as connection:
            return accesses.read(connection, patient_id, staff_id, after, limit)

    def save_view(
        self, *, at: dt.datetime, staff_id: str, name: str, page: str, query: str
    ) -> SavedView:
        """Save a page's URL query under a person's name for it; it replaces a view of that name."""
        name = views.checked_name(name)
        views.check(staff_id, page, query)
        with self.writing() as connection:
            return views.save(connection, at, staff_id, name, page, query)

    def remove_view(self, *, at: dt.datetime, staff_id: str, name: str) -> None:
        """Remove a view from a person's list; its earlier rows stay in the ledger."""
        with self.writing() as connection:
            views.remove(connection, at, staff_id, name.strip())

    def views(self, staff_id: str) -> list[SavedView]:
        """A person's saved views, by name."""
        with self.reading() as connection:
            return views.read(connection, staff_id)

    def bring_in(self, rows: Sequence[BroughtIn]) -> None:
        """Record that somebody brought in groups of tasks: all of them or none."""
        for row in rows:
            brought_in.check(row)
        if rows:
            with self.writing() as connection:
                brought_in.append(connection, rows)

    def brought_in(self) -> list[BroughtIn]:
        """Every group of tasks that was brought in, the first one first."""
        with self.reading() as connection:
            return brought_in.read(connection)

    def accept_guards(self, rows: Sequence[AcceptedGuard]) -> None:
        """Record that somebody accepts what guards held: all of them or none."""
        for row in rows:
            accepted_guards.check(row)
        if rows:
            with self.writing() as connection:
                accepted_guards.append(connection, rows)

    def accepted_guards(self) -> list[AcceptedGuard]:
        """Every acceptance of what a guard held, the first one first."""
        with self.reading() as connection:
            return accepted_guards.read(connection)

    def record_session(
        self,
        *,
        at: dt.datetime,
        staff_id: str | None,
        event: str,
        login: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Record that somebody signed in, was refused, or that a session ended."""
        new = SessionEvent(at, staff_id, event, login, detail)
        sessions.check(new)
        with self.writing() as connection:
            sessions.append(connection, new)

    def last_session_end(self, staff_id: str) -> dt.datetime | None:
        """The latest time (UTC) at which this person signed out or was timed out, or None."""
        with self.reading() as connection:
            return sessions.last_end(connection, staff_id)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection in a read transaction."""
        self._check_file()
        with explained(self.name), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in a write transaction; writers of one ledger wait for each other.

        UserError when the ledger is no longer the one whose identity was read last.
        """
        self._check_file()
        with (
            explained(self.name),
            self.engine.execution_options(is_writing=True).begin() as connection,
        ):
            # Numbers must become visible in their order, so that no reader skips one.
            # SQLite's BEGIN IMMEDIATE does this already and ignores FOR UPDATE.
            connection.execute(
                sa.select(ledger_version.c.number)
                .order_by(ledger_version.c.number)
                .limit(1)
                .with_for_update()
            )
            if self._identity is not None:
                self._check_identity(self._identity, identity.read(connection))
            yield connection
        if _inode(self._file) != self._inode:
            raise UserError(_REPLACED.format(name=self.name))

    def _check_identity(self, known: Identity, found: Identity) -> None:
        if found.ledger_id != known.ledger_id or found.newest < known.newest:
            raise UserError(_REPLACED.format(name=self.name))
        self._identity = found

    def _check_file(self) -> None:
        """Go on with the file that has the ledger's name now; UserError when there is none."""
        inode = _inode(self._file)
        if inode == self._inode:
            return
        if inode is None:
            raise UserError(
                f"The ledger {self.name} was taken away while the program had it open. Nothing "
                "was recorded: put it back, or restore a backup."
            )
        self.engine.dispose()  # its connections are to the file that had the name before
        self._inode = inode


def _inode(file: Path | None) -> tuple[int, int] | None:
    """What tells a file from another one that takes its name; None without a file."""
    try:
        found = file.stat() if file is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)


def open_ledger(url: str, *, read_only: bool = False, is_listed: bool = False) -> Ledger:
    """Open the ledger at an SQLAlchemy URL, made or migrated; a read-only one must be current.

    With `is_listed` a list was made with it: UserError where there is none. A practice's ledger is
    opened by belonging.open_own_ledger, which checks that it is the list's.
    """
    return Ledger(connect(url, read_only=read_only, is_listed=is_listed))
