"""Which account of a sign-in service is whose: bound at the first sign-in, until released."""

from __future__ import annotations

import datetime as dt
from enum import Enum, auto
from typing import NamedTuple

import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger.ledger import Ledger
from pipelines.ledger.schema import sign_ins
from pipelines.ledger.stored_text import check_storable

BOUND, RELEASED = "bound", "released"
LONGEST = 2000  # characters of an issuer or a subject; OpenID Connect allows a subject 255


class Account(NamedTuple):
    """An account as OpenID Connect knows it: the claims `iss` and `sub`."""

    issuer: str
    subject: str


class Standing(Enum):
    """What an account is to a member of staff."""

    OWN = auto()
    FREE = auto()  # neither has another: the next sign-in binds them
    STAFF_HAS_ANOTHER = auto()
    OF_ANOTHER = auto()  # the account is bound to somebody else


class _Last(NamedTuple):
    staff_id: str
    event: str
    issuer: str
    subject: str


def standing(ledger: Ledger, staff_id: str, account: Account) -> Standing:
    """What this account is to this member of staff now."""
    with ledger.reading() as connection:
        return _standing(connection, staff_id, account)


def bind(ledger: Ledger, at: dt.datetime, staff_id: str, account: Account) -> Standing:
    """Bind a free account to a member of staff; OWN, or why it cannot be. `at` is aware."""
    check_storable("sign-in", staff_id, *account)
    with ledger.writing() as connection:
        found = _standing(connection, staff_id, account)
        if found is not Standing.FREE:
            return found
        row = {"at": at, "staff_id": staff_id, "event": BOUND, **account._asdict()}
        connection.execute(sign_ins.insert(), row)
        return Standing.OWN


def release(ledger: Ledger, at: dt.datetime, staff_id: str, by: str, reason: str) -> Account:
    """Take the account from a member of staff, for `by` and their reason; the account.

    UserError when none is bound. `at` is aware.
    """
    if not reason.strip():
        raise UserError("To release a sign-in needs a reason.", 1)
    check_storable("release", staff_id, by, reason)
    with ledger.writing() as connection:
        last = _last(connection, sign_ins.c.staff_id == staff_id)
        if last is None or last.event != BOUND:
            raise UserError(f"{staff_id}: no sign-in is bound to this staff member", 1)
        account = Account(last.issuer, last.subject)
        row = {"at": at, "staff_id": staff_id, "event": RELEASED, **account._asdict()}
        connection.execute(sign_ins.insert(), {**row, "released_by": by, "reason": reason.strip()})
        return account


def last_release(ledger: Ledger, staff_id: str) -> dt.datetime | None:
    """When an account was last taken from this member of staff (UTC), or None."""
    with ledger.reading() as connection:
        return connection.scalar(
            sa.select(sa.func.max(sign_ins.c.at)).where(
                sign_ins.c.staff_id == staff_id, sign_ins.c.event == RELEASED
            )
        )


def _standing(connection: sa.Connection, staff_id: str, account: Account) -> Standing:
    of_staff = _last(connection, sign_ins.c.staff_id == staff_id)
    if of_staff is not None and of_staff.event == BOUND:
        is_own = (of_staff.issuer, of_staff.subject) == account
        return Standing.OWN if is_own else Standing.STAFF_HAS_ANOTHER
    of_account = _last(
        connection, sign_ins.c.issuer == account.issuer, sign_ins.c.subject == account.subject
    )
    if of_account is not None and of_account.event == BOUND:
        return Standing.OF_ANOTHER
    return Standing.FREE


def _last(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> _Last | None:
    row = connection.execute(
        sa.select(*(sign_ins.c[name] for name in _Last._fields))
        .where(*conditions)
        .order_by(sign_ins.c.seq.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _Last(*row)
