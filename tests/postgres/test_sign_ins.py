"""tests/unit/ledger/test_sign_ins.py on PostgreSQL."""

from tests.unit.ledger.test_sign_ins import *  # noqa: F403
