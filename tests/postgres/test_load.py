"""tests/unit/bench/test_load.py on PostgreSQL."""

from tests.unit.bench.test_load import *  # noqa: F403
