"""tests/faults/test_two_servers.py on PostgreSQL."""

from tests.faults.test_two_servers import *  # noqa: F403
