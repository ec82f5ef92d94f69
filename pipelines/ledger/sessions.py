"""Who signed in, was refused, signed out or was timed out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger.schema import sessions
from pipelines.ledger.stored_text import check_storable

SESSION_EVENTS = ("signed in", "signed out", "timed out", "refused")
_END = sa.select(sa.func.max(sessions.c.at)).where(sessions.c.staff_id == sa.bindparam("staff_id"))
# One index look-up an event; both events in one condition would read all of a person's rows.
_LAST_ENDS = sa.select(
    *(
        _END.where(sessions.c.event == event).scalar_subquery()
        for event in ("signed out", "timed out")
    )
)


@dataclass(frozen=True)
class SessionEvent:
    """What happened to a session; `login` identifies the sign-in, `detail` may say why."""

    at: dt.datetime
    staff_id: str | None
    event: str
    login: str | None = None
    detail: str | None = None


def check(new: SessionEvent) -> None:
    """UserError when the event is unknown, or has no staff member and is not a refusal."""
    if new.event not in SESSION_EVENTS:
        raise UserError(
            f"{new.event!r} is not a session event: use one of {', '.join(SESSION_EVENTS)}."
        )
    if not new.staff_id and new.event != "refused":
        raise UserError(f"{new.event} needs the staff member; only a refusal may have none.")
    check_storable("session", new.staff_id, new.login, new.detail)


def append(connection: sa.Connection, new: SessionEvent) -> None:
    """Write one session event."""
    connection.execute(sessions.insert(), {**vars(new), "staff_id": new.staff_id or None})


def last_end(connection: sa.Connection, staff_id: str) -> dt.datetime | None:
    """The latest time (UTC) at which this person signed out or was timed out, or None."""
    ends = connection.execute(_LAST_ENDS, {"staff_id": staff_id}).one()
    return max((end for end in ends if end is not None), default=None)
