"""tests/unit/ledger/test_views.py on PostgreSQL."""

from tests.unit.ledger.test_views import *  # noqa: F403
