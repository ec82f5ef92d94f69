"""Load the rule files, apply a practice's settings, and evaluate each rule."""

from __future__ import annotations

from pathlib import Path

from pipelines import sql_files

FOLDER = Path(__file__).parent


def sql(name: str) -> str:
    """The text of one SQL file of this room."""
    return sql_files.read(FOLDER / f"{name}.sql")
