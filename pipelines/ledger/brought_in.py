"""Groups of tasks that were set aside at the go-live, and that somebody brought in after all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger.schema import brought_in
from pipelines.ledger.stored_text import check_storable


@dataclass(frozen=True)
class BroughtIn:
    """Who brought in the tasks of a rule at a facility (None: those of no facility), and when."""

    at: dt.datetime
    staff_id: str
    rule_id: str
    facility_id: str | None


def check(new: BroughtIn) -> None:
    """UserError when the group cannot be stored."""
    if not new.staff_id or not new.rule_id:
        raise UserError("A group that is brought in needs a staff member and a rule.")
    check_storable("group", new.staff_id, new.rule_id, new.facility_id)


def append(connection: sa.Connection, rows: Sequence[BroughtIn]) -> None:
    """Write every group, in the order given."""
    connection.execute(brought_in.insert(), [asdict(row) for row in rows])


def read(connection: sa.Connection) -> list[BroughtIn]:
    """Every group that was brought in, the first one first."""
    columns = [brought_in.c[name] for name in BroughtIn.__dataclass_fields__]
    rows = connection.execute(sa.select(*columns).order_by(brought_in.c.seq))
    return [BroughtIn(*row) for row in rows]
