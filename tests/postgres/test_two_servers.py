"""tests/app/server/test_two_servers.py on PostgreSQL."""

from tests.app.server.test_two_servers import *  # noqa: F403
