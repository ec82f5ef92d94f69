"""Snapshots as the pages read them, extracts read back, and an export that a test may change."""

from tests.unit.conftest import published
from tests.unit.extracts.conftest import read_back
from tests.unit.sources.conftest import export

__all__ = ["export", "published", "read_back"]
