"""How long a task may be deferred, and how a length is written."""

from __future__ import annotations

import datetime as dt
import re

from pipelines.errors import UserError

OFFERED = {
    "1d": dt.timedelta(days=1),
    "2d": dt.timedelta(days=2),
    "3d": dt.timedelta(days=3),
    "1w": dt.timedelta(weeks=1),
    "2w": dt.timedelta(weeks=2),
}
SHORTEST, LONGEST = OFFERED["1d"], OFFERED["2w"]
_SPAN = re.compile(
    r"(?:([0-9]{1,4})w)?(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?"
)


def parse_span(text: str) -> dt.timedelta:
    """The length of "3d", "1w", "36h" or "1d12h" (w, d, h, m for minutes, s)."""
    match = _SPAN.fullmatch("".join(text.lower().split()))
    if match is None or not any(match.groups()):
        raise UserError(
            f"{text!r} is not a span of time: write 3d, 1w, 36h or 1d12h, from 1 day to 14 days.", 1
        )
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return dt.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def check_deferral(at: dt.datetime, until: dt.datetime) -> None:
    """UserError unless until is 1 to 14 days after at, both included, in elapsed time."""
    # Two times in one zone subtract as wall clocks: an hour wrong across a change of summer time.
    zero = dt.timedelta(0)
    moved = (until.utcoffset() or zero) - (at.utcoffset() or zero)
    span = until.replace(tzinfo=None) - at.replace(tzinfo=None) - moved
    if not SHORTEST <= span <= LONGEST:
        distance = f"{abs(span)} {'after' if span > zero else 'before'}"
        raise UserError(
            f"A task can be deferred for 1 day to 14 days; {until.isoformat(' ')} is {distance} "
            f"{at.isoformat(' ')}.",
            1,
        )
