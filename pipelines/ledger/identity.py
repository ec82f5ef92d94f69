"""Which ledger this is, so that a list and its ledger can be told from others."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.ledger import actions
from pipelines.ledger.schema import actions as actions_table
from pipelines.ledger.schema import ledger_identity


@dataclass(frozen=True)
class Identity:
    """The ledger's id, and the newest number of an action that it has or that it goes on after."""

    ledger_id: str
    newest: int


@dataclass(frozen=True)
class Adoption:
    """That a ledger takes the place of `ledger_id`, its next action numbered after this number.

    `run_id` made the list that it is adopted for; None to begin a new list.
    """

    ledger_id: str
    continues_after: int
    at: dt.datetime | None
    run_id: str | None = None
    staff_id: str | None = None
    reason: str | None = None


# Built once: building a statement takes longer than executing it.
_NEWEST = (
    sa.select(ledger_identity.c.ledger_id, ledger_identity.c.continues_after)
    .order_by(ledger_identity.c.seq.desc())
    .limit(1)
)


def read(connection: sa.Connection) -> Identity:
    """The identity as it is now."""
    ledger_id, continues_after = connection.execute(_NEWEST).one()
    return Identity(ledger_id, max(continues_after, actions.last_seq(connection)))


def is_adopted_without_list(connection: sa.Connection) -> bool:
    """Whether somebody allowed a new list to begin with the actions that are here now."""
    newest = connection.execute(
        sa.select(ledger_identity).order_by(ledger_identity.c.seq.desc()).limit(1)
    ).one()
    return (
        newest.at is not None
        and newest.run_id is None
        and newest.continues_after >= actions.last_seq(connection)
    )


def carry_over(reading: sa.Connection, writing: sa.Connection) -> None:
    """Give a copy of a ledger the identity of its original; earlier versions have none."""
    if not sa.inspect(reading).has_table(ledger_identity.name):
        return
    newest = reading.execute(
        sa.select(ledger_identity).order_by(ledger_identity.c.seq.desc()).limit(1)
    ).one()
    row = newest._asdict()
    del row["seq"]
    adopt(writing, Adoption(**row))


def adopt(connection: sa.Connection, new: Adoption) -> None:
    """Give the ledger another identity, and let the numbers of actions go on from there."""
    connection.execute(ledger_identity.insert().values(**vars(new)))
    newest = max(new.continues_after, actions.last_seq(connection))
    if newest == 0:
        return
    if connection.dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(actions_table.name, "seq")
        connection.execute(sa.select(sa.func.setval(sequence, newest)))
        return
    given = {"name": actions_table.name, "newest": newest}
    updated = connection.execute(
        sa.text("UPDATE sqlite_sequence SET seq = :newest WHERE name = :name"), given
    )
    if not updated.rowcount:
        connection.execute(sa.text("INSERT INTO sqlite_sequence VALUES (:name, :newest)"), given)
