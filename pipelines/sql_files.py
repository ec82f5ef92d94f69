"""Read SQL files, and quote values and names for SQL that Python builds."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def read(path: Path) -> str:
    """The text of a SQL file; it is read once per process."""
    return path.read_text(encoding="utf-8")


def literal(value: str | Path) -> str:
    """A value as a SQL string literal, for statements that take no parameters."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column or table name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
