"""The SELECTs behind what pages, notebooks and the command line ask: one file a question, named as the function that asks it."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def sql(name: str) -> str:
    """The text of one question."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
