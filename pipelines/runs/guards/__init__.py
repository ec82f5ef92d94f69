"""Guards judge a delivery by its effect: what they hold waits until a person accepts it."""

from __future__ import annotations

from pathlib import Path

from pipelines import sql_files


def sql(name: str) -> str:
    """The text of a SQL file of this room."""
    return sql_files.read(Path(__file__).parent / f"{name}.sql")
