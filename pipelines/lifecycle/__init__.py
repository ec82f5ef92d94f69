"""From stored tasks, candidates and people's actions to this run's events and the new state, as set-based SQL."""

from pathlib import Path

FOLDER = Path(__file__).parent


def sql(name: str) -> str:
    """The text of one lifecycle step."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
