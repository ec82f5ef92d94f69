"""tests/unit/ledger/test_ledger.py on PostgreSQL."""

from tests.unit.ledger.test_ledger import *  # noqa: F403
