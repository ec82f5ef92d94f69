"""Snapshots as the pages read them."""

from tests.unit.conftest import published

__all__ = ["published"]
