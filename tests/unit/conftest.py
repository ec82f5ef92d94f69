"""Snapshots as the pages read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines import settings
from pipelines.runs import run
from pipelines.warehouse import snapshots
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture(scope="session")
def published() -> Callable[[Path], duckdb.DuckDBPyConnection]:
    """Opens the live snapshot of a data folder so that its tables resolve by their names."""

    def open_live(data: Path) -> duckdb.DuckDBPyConnection:
        con = snapshots.connect()
        snapshots.attach(con, snapshots.current(data / "warehouse"), "snapshot")
        con.execute("USE snapshot")
        return con

    return open_live


@pytest.fixture(scope="module")
def read(
    tmp_path_factory: pytest.TempPathFactory, published
) -> Iterator[Callable[[Practice], duckdb.DuckDBPyConnection]]:
    """Run once over a practice on day 1 and open the list, for modules whose tests only read."""
    opened = []
    with pytest.MonkeyPatch.context() as patch:

        def run_over(practice: Practice) -> duckdb.DuckDBPyConnection:
            folder = tmp_path_factory.mktemp("practice")
            patch.setenv("WORKBENCH_DATA", str(folder / "data"))
            for name in ("WORKBENCH_EXTRACTS", "WORKBENCH_LEDGER", "WORKBENCH_SETTINGS"):
                patch.delenv(name, raising=False)
            run.run(
                settings.load(),
                practice.write(folder / "extracts", Workbench.day(1)),
                Workbench.day(1),
            )
            opened.append(published(folder / "data"))
            return opened[-1]

        yield run_over
    for con in opened:
        con.close()
