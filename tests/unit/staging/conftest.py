"""The fixtures of the rules' tests: staging decides much of what rules ask."""

from tests.rules.conftest import answers, authorized, desk, opens, staged

__all__ = ["answers", "authorized", "desk", "opens", "staged"]
