"""The SELECTs behind what pages, notebooks and the command line ask: one file a question, named as the function that asks it."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
EVERY_TASK = {"task_ids": None, "patient_id": None}  # what listed.sql is given for all tasks


@cache
def sql(name: str) -> str:
    """The text of one question."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
