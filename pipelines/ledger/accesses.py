"""Who looked at which patient, as recorded in the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from pipelines.ledger.schema import accesses
from pipelines.ledger.stored_text import check_storable


@dataclass(frozen=True)
class Access:
    """Somebody looked at a patient; `kind` is where, such as a page. `at` is aware."""

    at: dt.datetime
    staff_id: str
    patient_id: str
    kind: str
    detail: str | None = None


@dataclass(frozen=True)
class RecordedAccess(Access):
    """A recorded access; the time is UTC, `seq` is its number among the accesses."""

    seq: int = field(kw_only=True)


def check(access: Access) -> None:
    """UserError when the access cannot be stored."""
    check_storable("access", access.staff_id, access.patient_id, access.kind, access.detail)


def append(connection: sa.Connection, rows: Sequence[Access]) -> None:
    """Write accesses, numbered in the order of their patients."""
    # Sorted rows write each page of the patient index once: half the time in a large ledger.
    ordered = sorted(rows, key=lambda row: row.patient_id)
    names = Access.__dataclass_fields__
    written = [{name: getattr(row, name) for name in names} for row in ordered]
    connection.execute(accesses.insert(), written)


def read(
    connection: sa.Connection,
    patient_id: str | None,
    staff_id: str | None,
    after: int,
    limit: int,
) -> list[RecordedAccess]:
    """The newest `limit` accesses with seq > after, newest first; of a patient, of a person."""
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
    return [RecordedAccess(**row) for row in connection.execute(query).mappings()]
