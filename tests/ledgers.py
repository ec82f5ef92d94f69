"""Ledgers in tests: an action to write, and the database as any other program sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from pipelines.ledger.actions import NewAction

AT = dt.datetime(2026, 11, 3, 14, 15, tzinfo=dt.UTC)
only_sqlite = pytest.mark.only_sqlite  # the test is about a file, so PostgreSQL has no such case


def completed(
    task_id: str, staff_id: str = "ann", at: dt.datetime = AT, **more: object
) -> NewAction:
    """Somebody completes a task."""
    return NewAction(task_id, "complete", staff_id, at, **more)


@contextmanager
def past_our_code(url: str) -> Iterator[sa.Connection]:
    """A connection of another program's."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def rows_of(url: str, sql: str) -> list[tuple]:
    """What a query answers there."""
    with past_our_code(url) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]
