"""What people do to tasks: the action as a value, its checks, and its rows in the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger import deferral
from pipelines.ledger.schema import actions
from pipelines.ledger.stored_text import check_storable
from pipelines.vocabulary import ACTIONS


@dataclass(frozen=True)
class NewAction:
    """An action to be recorded; `at` and `until` are aware, only defer has `until`."""

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
    """A recorded action; times are UTC, `seq` is its number in the ledger."""

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
    """The task has a newer action, `latest`, than the writer saw; `refused` was not written."""

    def __init__(self, latest: Action, refused: NewAction) -> None:
        done = ACTIONS[latest.action].past_with_object
        super().__init__(
            f"Task {latest.task_id} was {done} by {latest.staff_id} at "
            f"{latest.at:%Y-%m-%d %H:%M:%S} UTC (action {latest.seq}), after the list you acted "
            "on. Nothing was changed: look at it again."
        )
        self.latest = latest
        self.refused = refused


_FIELDS = [actions.c[name] for name in Action.__dataclass_fields__]
# Built once: building these statements takes longer than executing them.
_RECORD = actions.insert().returning(*_FIELDS)
_LAST_SEQ = sa.select(sa.func.max(actions.c.seq))
_LAST_SEQ_OF_TASK = _LAST_SEQ.where(actions.c.task_id == sa.bindparam("task_id"))


def check(new: NewAction) -> None:
    """UserError when the action is incomplete or contradicts itself."""
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
    check_storable("action", new.task_id, new.staff_id, new.to_staff_id, new.reason)


def last_seq(connection: sa.Connection, task_id: str | None = None) -> int:
    """The number of the newest action, of one task where it is given; 0 when there is none."""
    if task_id is None:
        return connection.scalar(_LAST_SEQ) or 0
    return connection.scalar(_LAST_SEQ_OF_TASK, {"task_id": task_id}) or 0


def read(
    connection: sa.Connection, after: int, task_id: str | None, also: Sequence[int]
) -> list[Action]:
    """The actions with seq > after or in `also`, in order of seq; of one task where it is given."""
    query = (
        sa.select(*_FIELDS)
        .where(sa.or_(actions.c.seq > after, actions.c.seq.in_(also)))
        .order_by(actions.c.seq)
    )
    if task_id is not None:
        query = query.where(actions.c.task_id == task_id)
    return [Action(*row) for row in connection.execute(query)]


def append(
    connection: sa.Connection, ledger_name: str, wanted: Sequence[tuple[NewAction, int]]
) -> tuple[list[Action], list[Conflict]]:
    """Write each (action, seen) without a conflict, in the order given."""
    recorded, conflicts = [], []
    for new, seen in wanted:
        last = last_seq(connection, new.task_id)
        if last > seen:
            latest = connection.execute(sa.select(*_FIELDS).where(actions.c.seq == last)).one()
            conflicts.append(Conflict(Action(*latest), new))
            continue
        if seen > last and seen > (newest := last_seq(connection)):
            # A run has already applied this number: an action numbered below it is never read.
            raise UserError(
                f"The task list knows action {seen}, but the ledger {ledger_name} ends at "
                f"{newest}: it belongs to another list."
            )
        row = connection.execute(_RECORD, {**vars(new), "after_seq": last}).one()
        recorded.append(Action(*row))
    return recorded, conflicts
