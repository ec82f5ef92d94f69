"""The clock of the command line: below it, only `as_of` and `at` say what time it is."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """The machine's time in UTC, to the second."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)
