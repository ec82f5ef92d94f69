"""The fixtures of the rules' tests: staging decides much of what rules ask."""

from tests.rules.conftest import answers, desk, opens, staged  # noqa: F401  (fixtures)
from tests.rules.test_authorization_expiring import authorized  # noqa: F401  (fixture)
