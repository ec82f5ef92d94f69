"""What a guard held, and that somebody accepted as true after all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger.schema import accepted_guards
from pipelines.ledger.stored_text import check_storable


@dataclass(frozen=True)
class AcceptedGuard:
    """Who accepted what a guard of the run `run_no` held, when, and why."""

    at: dt.datetime
    staff_id: str
    guard: str
    run_no: int
    reason: str


def check(new: AcceptedGuard) -> None:
    """UserError when the acceptance cannot be stored."""
    if not new.staff_id or not new.guard or not new.reason.strip():
        raise UserError("To accept what a guard holds needs a staff member and a reason.")
    check_storable("acceptance", new.staff_id, new.guard, new.reason)


def append(connection: sa.Connection, rows: Sequence[AcceptedGuard]) -> None:
    """Write every acceptance, in the order given."""
    connection.execute(accepted_guards.insert(), [asdict(row) for row in rows])


def read(connection: sa.Connection) -> list[AcceptedGuard]:
    """Every acceptance, the first one first."""
    columns = [accepted_guards.c[name] for name in AcceptedGuard.__dataclass_fields__]
    rows = connection.execute(sa.select(*columns).order_by(accepted_guards.c.seq))
    return [AcceptedGuard(*row) for row in rows]
