"""The tests of the ledger once more, with the ledger in PostgreSQL."""

from __future__ import annotations

import pytest

from tests import postgres_server

MODULES = (
    "tests.faults.test_two_servers",
    "tests.unit.bench.test_load",
    "tests.unit.ledger.test_accesses",
    "tests.unit.ledger.test_actions",
    "tests.unit.ledger.test_ledger",
    "tests.unit.ledger.test_schema",
    "tests.unit.ledger.test_sign_ins",
    "tests.unit.ledger.test_views",
    "tests.unit.operations.test_backup",
)
pytest.register_assert_rewrite(*MODULES)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what depends on the kind of database."""
    here = [
        item for item in items if item.path.is_relative_to(__file__.removesuffix("/conftest.py"))
    ]
    surplus = [
        item
        for item in here
        if "ledger_url" not in item.fixturenames or item.get_closest_marker("only_sqlite")
    ]
    items[:] = [item for item in items if item not in surplus]
    config.hook.pytest_deselected(items=surplus)


@pytest.fixture
def ledger_url(postgresql: postgres_server.Server) -> str:
    """The URL of an empty database."""
    return postgresql.new_database()
