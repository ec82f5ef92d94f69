"""Read the SQL files that lie beside the code that runs them."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def read(path: Path) -> str:
    """The text of a SQL file; it is read once per process."""
    return path.read_text(encoding="utf-8")
