"""Load the rule files and ask each rule for its candidates."""

from __future__ import annotations

from pathlib import Path

from pipelines import sql_files

FOLDER = Path(__file__).parent


def sql(name: str) -> str:
    """The text of one SQL file of this room."""
    return sql_files.read(FOLDER / f"{name}.sql")
