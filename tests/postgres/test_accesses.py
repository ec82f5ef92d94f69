"""tests/unit/ledger/test_accesses.py on PostgreSQL."""

from tests.unit.ledger.test_accesses import *  # noqa: F403
