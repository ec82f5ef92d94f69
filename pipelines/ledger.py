"""People's actions on tasks and the record of who looked at which patient: the only code that writes them.

Append-only, and a returned `record` is on disk. SQLite by default, another database by its URL.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger_database import connect, explained
from pipelines.ledger_schema import accesses, actions, ledger_version

ACTIONS = ("complete", "defer", "return", "reopen", "assign", "note")
OFFERED = {
    "1d": dt.timedelta(days=1),
    "2d": dt.timedelta(days=2),
    "3d": dt.timedelta(days=3),
    "1w": dt.timedelta(weeks=1),
    "2w": dt.timedelta(weeks=2),
}
SHORTEST, LONGEST = OFFERED["1d"], OFFERED["2w"]
_DONE = {
    "complete": "completed",
    "defer": "deferred",
    "return": "returned to the list",
    "reopen": "reopened",
    "assign": "assigned",
    "note": "noted on",
}
_SPAN = re.compile(r"(?:([0-9]{1,4})w)?(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?")


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


class Ledger:
    """An open ledger; threads may share it, and any number of processes may open the same one."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        self._name = name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
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

    def actions(self, after: int = 0, upto: int | None = None, task_id: str | None = None, also: Sequence[int] = ()) -> list[Action]:
        """The actions with after < seq <= upto and those numbered in `also`, in order of seq; of one task where it is given."""
        query = sa.select(*_FIELDS).where(sa.or_(actions.c.seq > after, actions.c.seq.in_(also))).order_by(actions.c.seq)
        if upto is not None:
            query = query.where(actions.c.seq <= upto)
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

    def record_many(self, wanted: Sequence[tuple[NewAction, int]]) -> tuple[list[Action], list[Conflict]]:
        """Write each (action, seen) that does not conflict, in the order given, all in one transaction."""
        for new, _ in wanted:
            _check(new)
        try:
            return self._append(wanted)
        except sa.exc.IntegrityError:
            # A database whose transactions look at an older snapshot lets the unique key find the rival; a new transaction sees it.
            return self._append(wanted)

    def record_access(self, *, at: dt.datetime, staff_id: str, patient_id: str, kind: str, detail: str | None = None) -> None:
        """Note that somebody looked at a patient: `kind` says at what, such as a page."""
        with self._writing() as connection:
            connection.execute(accesses.insert().values(at=at, staff_id=staff_id, patient_id=patient_id, kind=kind, detail=detail))

    def _append(self, wanted: Sequence[tuple[NewAction, int]]) -> tuple[list[Action], list[Conflict]]:
        recorded, conflicts = [], []
        with self._writing() as connection:
            for new, seen in wanted:
                last = _last_seq(connection, new.task_id)
                if last > seen:
                    latest = connection.execute(sa.select(*_FIELDS).where(actions.c.seq == last)).one()
                    conflicts.append(Conflict(Action(*latest), new))
                    continue
                if seen > last and seen > (newest := _last_seq(connection)):
                    # A run has already folded this number in, so an action written below it would never be read.
                    raise UserError(f"The task list knows action {seen}, but the ledger {self._name} ends at {newest}: it belongs to another list.")
                row = {**asdict(new), "after_seq": last}
                query = actions.insert().values(row).returning(*_FIELDS)
                recorded.append(Action(*connection.execute(query).one()))
        return recorded, conflicts

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with explained(self._name), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with explained(self._name), self._engine.execution_options(is_writing=True).begin() as connection:
            # One writer at a time, so that numbers become visible in their order and no reader skips one. SQLite's BEGIN IMMEDIATE
            # has seen to it already and leaves FOR UPDATE out.
            connection.execute(sa.select(ledger_version.c.number).order_by(ledger_version.c.number).limit(1).with_for_update())
            yield connection


def open_ledger(url: str, *, read_only: bool = False) -> Ledger:
    """Open the ledger at an SQLAlchemy URL, made or migrated when needed; a read-only one must exist and be up to date."""
    return Ledger(*connect(url, read_only=read_only))


def parse_span(text: str) -> dt.timedelta:
    """The length of "3d", "1w", "36h" or "1d12h" (w, d, h, m for minutes, s)."""
    match = _SPAN.fullmatch("".join(text.lower().split()))
    if match is None or not any(match.groups()):
        raise UserError(f"{text!r} is not a span of time: write 3d, 1w, 36h or 1d12h, from 1 day to 14 days.", 1)
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return dt.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def check_deferral(at: dt.datetime, until: dt.datetime) -> None:
    """UserError unless until is 1 to 14 days after at, both included, in elapsed time."""
    # Two times in one zone subtract as wall clocks do, an hour wrong over a change of summer time.
    span = until.replace(tzinfo=None) - at.replace(tzinfo=None) - (until.utcoffset() - at.utcoffset())
    if not SHORTEST <= span <= LONGEST:
        distance = f"{abs(span)} {'after' if span > dt.timedelta(0) else 'before'}"
        raise UserError(f"A task can be deferred for 1 day to 14 days; {until.isoformat(' ')} is {distance} {at.isoformat(' ')}.", 1)


def _check(new: NewAction) -> None:
    """UserError when the action could not be understood by whoever reads it later."""
    if new.action not in ACTIONS:
        raise UserError(f"{new.action!r} is not an action: use one of {', '.join(ACTIONS)}.")
    if not new.task_id or not new.staff_id:
        raise UserError("An action needs a task and the staff member who did it.")
    if new.at.tzinfo is None or (new.until is not None and new.until.tzinfo is None):
        raise ValueError("times of actions must be aware")
    if (new.until is not None) != (new.action == "defer"):
        raise UserError("Defer needs the time when the task comes back, and no other action has one.")
    if new.until is not None:
        check_deferral(new.at, new.until)
    if new.to_staff_id is not None and new.action != "assign":
        raise UserError(f"Only assign names another staff member; {new.action} does not.")
    if new.is_override and new.action != "complete":
        raise UserError(f"Only complete can be an override; {new.action} cannot.")
    if (new.is_override or new.action == "note") and not (new.reason or "").strip():
        raise UserError("A note needs its text." if new.action == "note" else "Completing a task that clears by itself needs a reason.")
    for text in (new.task_id, new.staff_id, new.to_staff_id or "", new.reason or ""):
        # A console in another encoding hands over half characters, which no database stores.
        if "\x00" in text or not text.isascii() and re.search("[\ud800-\udfff]", text):
            raise UserError("The action holds characters that cannot be stored; write it again as UTF-8 text.")


def _last_seq(connection: sa.Connection, task_id: str | None = None) -> int:
    query = sa.select(sa.func.max(actions.c.seq))
    if task_id is not None:
        query = query.where(actions.c.task_id == task_id)
    return connection.scalar(query) or 0
