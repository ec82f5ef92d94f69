"""What lists ask: filters, questions, live and past lists, and what people may do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines import sql_files
from pipelines.vocabulary import SQL_LISTS

FOLDER = Path(__file__).parent
# The parameters of listed.sql for all tasks.
EVERY_TASK: Mapping[str, list[str] | None] = {
    "task_ids": None,
    "patient_id": None,
    "events_of_deferral": SQL_LISTS["events_of_deferral"],
}


def sql(name: str) -> str:
    """The text of one SQL file of this room."""
    return sql_files.read(FOLDER / f"{name}.sql")
