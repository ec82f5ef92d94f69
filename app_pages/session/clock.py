"""The app's clock: the machine's, shifted by the seconds in a clock file (the demo, tests)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from pipelines.errors import UserError


def machine_now() -> dt.datetime:
    """The machine's clock, to the second, in UTC."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def now(moved_by: Path | None) -> dt.datetime:
    """What time it is for the app."""
    return machine_now() + offset(moved_by)


def offset(moved_by: Path | None) -> dt.timedelta:
    """How far the app's clock is from the machine's; UserError unless the file holds seconds."""
    if moved_by is None:
        return dt.timedelta(0)
    try:
        return dt.timedelta(seconds=int(moved_by.read_text(encoding="utf-8")))
    except (OSError, ValueError, OverflowError):
        raise UserError(
            f"{moved_by}: must hold a number of seconds, by which the workbench's clock is shifted"
        ) from None
