"""python -m pipelines <command>: the command line, and the only place that may ask what time it is."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


def now() -> dt.datetime:
    """The clock, to the second."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)
