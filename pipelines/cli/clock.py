"""The clock of the command line: below it, only `as_of` and `at` say what time it is."""

from __future__ import annotations

import datetime as dt

from pipelines.errors import UserError
from pipelines.settings import Settings


def now() -> dt.datetime:
    """The machine's time in UTC, to the second."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def check(
    at: dt.datetime, option: str, settings: Settings, *, is_forced: bool, exit_code: int = 2
) -> None:
    """UserError for a time further ahead of this machine's clock than practice.clock_tolerance.

    A list or an action of a later day locks the list until that day has come.
    """
    ahead = at - now()
    if ahead > dt.timedelta(minutes=settings.clock_tolerance) and not is_forced:
        raise UserError(
            f"{option} {at.isoformat()} is {_long(ahead)} ahead of this machine's clock. Nothing "
            "was done: what is dated ahead counts only when that time has come, and no run for an "
            "earlier moment is possible until then. Correct the time, or add --force.",
            exit_code,
        )


def _long(span: dt.timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} minutes" if minutes < 48 * 60 else f"{round(minutes / 60 / 24)} days"
