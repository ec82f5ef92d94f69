"""tests/unit/ledger/test_actions.py on PostgreSQL."""

from tests.unit.ledger.test_actions import *  # noqa: F403
