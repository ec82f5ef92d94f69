"""What pages, notebooks and the command line ask: the published snapshot with the actions it does not hold yet."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What listed.sql says, kept by whoever has many readers (see overlay.py): of the open tasks, and of all.
OPEN_TASKS, ALL_TASKS = "open_tasks", "all_tasks"
# Beside them the open tasks as counted.sql counts them, a sixth as many rows: what COUNTING asks, unless a filter looks at single tasks.
OPEN_COUNTS = "open_counts"
COUNTING = ("summary", "options")
PARAMETER = re.compile(r"\$(\w+)")


def lines_given(text: str, given: Mapping[str, object]) -> str:
    """A query without the lines whose parameter is not given: a condition that is always true is planned all the same, at each asking."""
    lines = text.splitlines(
        keepends=True
    )  # a comment may stand in the last line: it, too, needs its end
    return "".join(
        line for line in lines if all(given[name] is not None for name in PARAMETER.findall(line))
    )
