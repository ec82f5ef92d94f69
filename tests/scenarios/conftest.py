"""Snapshots as the pages read them, extracts read back, and an export that a test may change."""

from collections.abc import Callable, Iterator

import duckdb
import pytest

from tests.conftest import Workbench
from tests.unit.conftest import published
from tests.unit.extracts.conftest import read_back
from tests.unit.sources.conftest import export

__all__ = ["export", "published", "read_back"]


@pytest.fixture
def newest(workbench: Workbench, published) -> Iterator[Callable[[], duckdb.DuckDBPyConnection]]:
    """Opens the newest list."""
    opened: list[duckdb.DuckDBPyConnection] = []

    def open_newest() -> duckdb.DuckDBPyConnection:
        opened.append(published(workbench.data))
        return opened[-1]

    yield open_newest
    for con in opened:
        con.close()
