"""Ledgers in tests: as any other program sees the database, past our code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

only_sqlite = pytest.mark.only_sqlite  # the test is about a file, so PostgreSQL has no such case


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
