"""tests/unit/ledger/test_schema.py on PostgreSQL."""

from tests.unit.ledger.test_schema import *  # noqa: F403
