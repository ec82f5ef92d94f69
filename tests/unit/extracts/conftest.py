"""Extracts as the run reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.extracts import folder as extracts_folder
from pipelines.extracts import read
from pipelines.extracts.outcome import Limits, TableRead
from tests.practice import Practice

Read = Callable[..., tuple[duckdb.DuckDBPyConnection, dict[str, TableRead]]]


@pytest.fixture
def read_back(tmp_path: Path) -> Read:
    """Read a practice's extracts: the database, and the outcomes by table."""

    def read_practice(
        practice: Practice, without: tuple[str, ...] = (), **limits: Any
    ) -> tuple[duckdb.DuckDBPyConnection, dict[str, TableRead]]:
        folder = extracts_folder.find(practice.write(tmp_path / "in", None, without=without))
        con = duckdb.connect()
        outcomes = read.read(con, folder, {}, tmp_path / "rejected", Limits(**limits))
        return con, {outcome.table: outcome for outcome in outcomes}

    return read_practice
