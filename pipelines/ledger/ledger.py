"""People's actions on tasks, the record of who looked at which patient and who signed in, and saved views: the only code that writes them.

Append-only, and a returned `record` is on disk. SQLite by default, another database by its URL.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger import deferral
from pipelines.ledger.database import connect, explained
from pipelines.ledger.schema import accesses, actions, ledger_version, saved_views, sessions

ACTIONS = ("complete", "defer", "return", "reopen", "assign", "note")
SESSION_EVENTS = ("signed in", "signed out", "timed out", "refused")
LONGEST_NAME = 60  # characters of a saved view's name: what a menu shows in one line
LONGEST_QUERY = (
    4_000  # characters of its URL query; servers and mail programs cut longer addresses short
)
MOST_VIEWS = 100  # saved views of one person: what a menu can list
_DONE = {
    "complete": "completed",
    "defer": "deferred",
    "return": "returned to the list",
    "reopen": "reopened",
    "assign": "assigned",
    "note": "noted on",
}
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_NOT_IN_NAMES = {
    "Cc",
    "Cs",
    "Zl",
    "Zp",
}  # control characters, half characters, breaks of lines and paragraphs


@dataclass(frozen=True)
class NewAction:
    """What a person wants to do to a task; `at` and `until` are aware, `until` belongs to defer, `to_staff_id` to assign."""

    task_id: str
    action: str
    staff_id: str
    at: dt.datetime
    until: dt.datetime | None = None
    to_staff_id: str | None = None
    reason: str | None = None
    is_override: bool = False


@dataclass(frozen=True)
class Action:
    """What a person did; times are UTC, `seq` is its place in the ledger."""

    seq: int
    task_id: str
    action: str
    staff_id: str
    at: dt.datetime
    until: dt.datetime | None = None
    to_staff_id: str | None = None
    reason: str | None = None
    is_override: bool = False


@dataclass(frozen=True)
class Access:
    """That somebody looked at a patient; `kind` says at what, such as a page."""

    at: dt.datetime
    staff_id: str
    patient_id: str
    kind: str
    detail: str | None = None


@dataclass(frozen=True)
class RecordedAccess(Access):
    """An access as the ledger holds it; the time is UTC, `seq` its place among the accesses."""

    seq: int = field(kw_only=True)


@dataclass(frozen=True)
class SavedView:
    """A page's filters under a name of a person's own; `query` is the text of the page's URL query, with ids only."""

    seq: int
    at: dt.datetime
    staff_id: str
    name: str
    page: str
    query: str


class Conflict(UserError):
    """Somebody acted on the task after the state the writer had seen; `latest` is the newest action on it, `refused` what was not written."""

    def __init__(self, latest: Action, refused: NewAction) -> None:
        super().__init__(
            f"Task {latest.task_id} was {_DONE[latest.action]} by {latest.staff_id} at {latest.at:%Y-%m-%d %H:%M:%S} UTC "
            f"(action {latest.seq}), after the list you acted on. Nothing was changed: look at it again."
        )
        self.latest = latest
        self.refused = refused


_FIELDS = [actions.c[name] for name in Action.__dataclass_fields__]
# Kept, because to put these together takes longer than to execute them, and a list of tasks executes them a thousand times.
_RECORD = actions.insert().returning(*_FIELDS)
_LAST_SEQ = sa.select(sa.func.max(actions.c.seq))
_LAST_SEQ_OF_TASK = _LAST_SEQ.where(actions.c.task_id == sa.bindparam("task_id"))
_VIEW_FIELDS = [saved_views.c[name] for name in SavedView.__dataclass_fields__]
_END = sa.select(sa.func.max(sessions.c.at)).where(sessions.c.staff_id == sa.bindparam("staff_id"))
# One look into the index for each event; both in one condition would go through all of a person's rows.
_LAST_ENDS = sa.select(
    *(
        _END.where(sessions.c.event == event).scalar_subquery()
        for event in ("signed out", "timed out")
    )
)


class Ledger:
    """An open ledger; threads may share it, and any number of processes may open the same one."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        self._name = name

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
        self._engine.dispose()

    def last_seq(self) -> int:
        """The number of the newest action, 0 when there is none."""
        with self._reading() as connection:
            return _last_seq(connection)

    def last_seq_of(self, task_id: str) -> int:
        """The number of the newest action on this task, 0 when there is none."""
        with self._reading() as connection:
            return _last_seq(connection, task_id)

    def actions(
        self, after: int = 0, task_id: str | None = None, also: Sequence[int] = ()
    ) -> list[Action]:
        """The actions after this number and those numbered in `also`, in order of seq; of one task where it is given."""
        query = (
            sa.select(*_FIELDS)
            .where(sa.or_(actions.c.seq > after, actions.c.seq.in_(also)))
            .order_by(actions.c.seq)
        )
        if task_id is not None:
            query = query.where(actions.c.task_id == task_id)
        with self._reading() as connection:
            return [Action(*row) for row in connection.execute(query)]

    def record(self, new: NewAction, seen: int) -> Action:
        """Write one action; Conflict when the task has one newer than `seen`, any seq at which the writer knew the task."""
        recorded, conflicts = self.record_many([(new, seen)])
        if conflicts:
            raise conflicts[0]
        return recorded[0]

    def record_many(
        self, wanted: Sequence[tuple[NewAction, int]]
    ) -> tuple[list[Action], list[Conflict]]:
        """Write each (action, seen) that does not conflict, in the order given, all in one transaction."""
        for new, _ in wanted:
            _check(new)
        try:
            return self._append(wanted)
        except sa.exc.IntegrityError:
            # A database whose transactions look at an older snapshot lets the unique key find the rival; a new transaction sees it.
            return self._append(wanted)

    def record_access(
        self,
        *,
        at: dt.datetime,
        staff_id: str,
        patient_id: str,
        kind: str,
        detail: str | None = None,
    ) -> None:
        """Note that somebody looked at a patient: `kind` says at what, such as a page."""
        self.record_accesses([Access(at, staff_id, patient_id, kind, detail)])

    def record_accesses(self, rows: Sequence[Access]) -> None:
        """Note every access or none of them: an export names all patients of the list in it. They are numbered patient by patient."""
        for row in rows:
            _check_storable("access", row.staff_id, row.patient_id, row.kind, row.detail)
        if not rows:
            return
        # In their order each page of the index is written once, and not once for each of its patients: half the time in a large ledger.
        ordered = sorted(rows, key=lambda row: row.patient_id)
        written = [
            {name: getattr(row, name) for name in Access.__dataclass_fields__} for row in ordered
        ]
        with self._writing() as connection:
            connection.execute(accesses.insert(), written)

    def accesses(
        self,
        *,
        patient_id: str | None = None,
        staff_id: str | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[RecordedAccess]:
        """The newest `limit` accesses with seq > after, newest first; to one patient, by one person where they are given."""
        query = (
            sa.select(*(accesses.c[name] for name in RecordedAccess.__dataclass_fields__))
            .order_by(accesses.c.seq.desc())
            .limit(limit)
        )
        if after:
            query = query.where(accesses.c.seq > after)
        if patient_id is not None:
            query = query.where(accesses.c.patient_id == patient_id)
        if staff_id is not None:
            query = query.where(accesses.c.staff_id == staff_id)
        with self._reading() as connection:
            return [RecordedAccess(**row) for row in connection.execute(query).mappings()]

    def save_view(
        self, *, at: dt.datetime, staff_id: str, name: str, page: str, query: str
    ) -> SavedView:
        """Keep a page's URL query under a person's name for it, in the place of the view that has this name."""
        name = _checked_name(name)
        _check_view(staff_id, page, query)
        with self._writing() as connection:
            kept = {view.name for view in _views(connection, staff_id)}
            if name not in kept and len(kept) >= MOST_VIEWS:
                raise UserError(
                    f"You have {len(kept)} saved views, and {MOST_VIEWS} is the most one person can keep: remove one first.",
                    1,
                )
            return _append_view(connection, at, staff_id, name, page, query)

    def remove_view(self, *, at: dt.datetime, staff_id: str, name: str) -> None:
        """Take a view off a person's list; what it was stays in the ledger."""
        with self._writing() as connection:
            page = next(
                (view.page for view in _views(connection, staff_id) if view.name == name.strip()),
                None,
            )
            if page is None:
                raise UserError(
                    f"You have no saved view named {name.strip()!r}; it may have been removed in another window.",
                    1,
                )
            _append_view(connection, at, staff_id, name.strip(), page, None)

    def views(self, staff_id: str) -> list[SavedView]:
        """A person's saved views, by name."""
        with self._reading() as connection:
            return sorted(
                _views(connection, staff_id), key=lambda view: (view.name.casefold(), view.name)
            )

    def record_session(
        self,
        *,
        at: dt.datetime,
        staff_id: str | None,
        event: str,
        login: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Note that somebody signed in, was refused, or that a session ended; `login` identifies the sign-in, `detail` may say why."""
        if event not in SESSION_EVENTS:
            raise UserError(
                f"{event!r} is not what happens to a session: use one of {', '.join(SESSION_EVENTS)}."
            )
        if not staff_id and event != "refused":
            raise UserError(
                f"Only somebody who is refused can be a stranger; {event} needs the staff member."
            )
        _check_storable("session", staff_id, login, detail)
        with self._writing() as connection:
            connection.execute(
                sessions.insert(),
                {
                    "at": at,
                    "staff_id": staff_id or None,
                    "event": event,
                    "login": login,
                    "detail": detail,
                },
            )

    def last_session_end(self, staff_id: str) -> dt.datetime | None:
        """The latest time, in UTC, at which this person signed out or was timed out; None when neither happened yet."""
        with self._reading() as connection:
            ends = connection.execute(_LAST_ENDS, {"staff_id": staff_id}).one()
        return max((end for end in ends if end is not None), default=None)

    def _append(
        self, wanted: Sequence[tuple[NewAction, int]]
    ) -> tuple[list[Action], list[Conflict]]:
        recorded, conflicts = [], []
        with self._writing() as connection:
            for new, seen in wanted:
                last = _last_seq(connection, new.task_id)
                if last > seen:
                    latest = connection.execute(
                        sa.select(*_FIELDS).where(actions.c.seq == last)
                    ).one()
                    conflicts.append(Conflict(Action(*latest), new))
                    continue
                if seen > last and seen > (newest := _last_seq(connection)):
                    # A run has already folded this number in, so an action written below it would never be read.
                    raise UserError(
                        f"The task list knows action {seen}, but the ledger {self._name} ends at {newest}: it belongs to another list."
                    )
                recorded.append(
                    Action(*connection.execute(_RECORD, {**vars(new), "after_seq": last}).one())
                )
        return recorded, conflicts

    def prove_writable(self) -> int:
        """The newest action's number, read in a writer's turn that writes nothing; UserError when nobody could write now."""
        with self._writing() as connection:
            return _last_seq(connection)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with explained(self._name), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with (
            explained(self._name),
            self._engine.execution_options(is_writing=True).begin() as connection,
        ):
            # One writer at a time, so that numbers become visible in their order and no reader skips one. SQLite's BEGIN IMMEDIATE
            # has seen to it already and leaves FOR UPDATE out.
            connection.execute(
                sa.select(ledger_version.c.number)
                .order_by(ledger_version.c.number)
                .limit(1)
                .with_for_update()
            )
            yield connection


def open_ledger(url: str, *, read_only: bool = False) -> Ledger:
    """Open the ledger at an SQLAlchemy URL, made or migrated when needed; a read-only one must exist and be up to date."""
    return Ledger(*connect(url, read_only=read_only))


def _check(new: NewAction) -> None:
    """UserError when the action could not be understood by whoever reads it later."""
    if new.action not in ACTIONS:
        raise UserError(f"{new.action!r} is not an action: use one of {', '.join(ACTIONS)}.")
    if not new.task_id or not new.staff_id:
        raise UserError("An action needs a task and the staff member who did it.")
    if new.at.tzinfo is None or (new.until is not None and new.until.tzinfo is None):
        raise ValueError("times of actions must be aware")
    if (new.until is not None) != (new.action == "defer"):
        raise UserError(
            "Defer needs the time when the task comes back, and no other action has one."
        )
    if new.until is not None:
        deferral.check_deferral(new.at, new.until)
    if new.to_staff_id is not None and new.action != "assign":
        raise UserError(f"Only assign names another staff member; {new.action} does not.")
    if new.is_override and new.action != "complete":
        raise UserError(f"Only complete can be an override; {new.action} cannot.")
    if (new.is_override or new.action == "note") and not (new.reason or "").strip():
        raise UserError(
            "A note needs its text."
            if new.action == "note"
            else "Completing a task that clears by itself needs a reason."
        )
    _check_storable("action", new.task_id, new.staff_id, new.to_staff_id, new.reason)


def _checked_name(name: str) -> str:
    """The name of a saved view without the spaces around it, or UserError."""
    name = name.strip()
    if not name:
        raise UserError("A saved view needs a name.", 1)
    if len(name) > LONGEST_NAME:
        raise UserError(
            f"The name of a saved view has at most {LONGEST_NAME} characters; this one has {len(name)}.",
            1,
        )
    if any(unicodedata.category(character) in _NOT_IN_NAMES for character in name):
        raise UserError(
            "The name of a saved view is one line of text: it has no line breaks and no control characters.",
            1,
        )
    return name


def _check_view(staff_id: str, page: str, query: str) -> None:
    """UserError when a saved view could not be found or opened later."""
    if not staff_id or not page:
        raise UserError("A saved view needs a page and the staff member who saves it.")
    if len(query) > LONGEST_QUERY:
        raise UserError(
            f"The filters of a saved view take at most {LONGEST_QUERY:,} characters; these take {len(query):,}: choose fewer.",
            1,
        )
    _check_storable("saved view", staff_id, page, query)


def _check_storable(what: str, *texts: str | None) -> None:
    for text in texts:
        # A console in another encoding hands over half characters, which no database stores.
        if text and ("\x00" in text or not text.isascii() and _HALF_CHARACTER.search(text)):
            raise UserError(
                f"The {what} holds characters that cannot be stored; write it again as UTF-8 text."
            )


def _last_seq(connection: sa.Connection, task_id: str | None = None) -> int:
    asked = (
        connection.scalar(_LAST_SEQ)
        if task_id is None
        else connection.scalar(_LAST_SEQ_OF_TASK, {"task_id": task_id})
    )
    return asked or 0


def _views(connection: sa.Connection, staff_id: str) -> list[SavedView]:
    """What a person's saved views are now: the last row of each name, unless it says removed."""
    last_rows = (
        sa.select(sa.func.max(saved_views.c.seq))
        .where(saved_views.c.staff_id == staff_id)
        .group_by(saved_views.c.name)
    )
    query = sa.select(*_VIEW_FIELDS).where(
        saved_views.c.seq.in_(last_rows), saved_views.c.query.is_not(None)
    )
    return [SavedView(*row) for row in connection.execute(query)]


def _append_view(
    connection: sa.Connection,
    at: dt.datetime,
    staff_id: str,
    name: str,
    page: str,
    query: str | None,
) -> SavedView:
    row = {"at": at, "staff_id": staff_id, "name": name, "page": page, "query": query}
    return SavedView(*connection.execute(saved_views.insert().returning(*_VIEW_FIELDS), row).one())
