"""tests/unit/operations/test_backup.py from and to PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.test_backup import *  # noqa: F403


def url_of(kind: str, request: pytest.FixtureRequest, file: Path) -> str:
    """The URL of a ledger of this kind that does not exist yet."""
    if kind == "sqlite":
        return f"sqlite:///{file}"
    return request.getfixturevalue("postgresql").new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The ledger that is backed up."""
    return url_of(request.param, request, tmp_path / "ledger.sqlite")


@pytest.fixture(params=["sqlite", "postgresql"])
def restored_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The ledger that a backup is restored into."""
    return url_of(request.param, request, tmp_path / "new" / "ledger.sqlite")
