"""What lists ask: filters, questions, live and past lists, and what people may do."""

from __future__ import annotations

from pathlib import Path

from pipelines import sql_files

FOLDER = Path(__file__).parent
EVERY_TASK = {"task_ids": None, "patient_id": None}  # the parameters of listed.sql for all tasks


def sql(name: str) -> str:
    """The text of one SQL file of this room."""
    return sql_files.read(FOLDER / f"{name}.sql")
