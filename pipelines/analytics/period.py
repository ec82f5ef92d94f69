"""Periods of days in steps of a day or a week; a week runs from Sunday to Saturday."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Period:
    """Days from first to last, both included, in steps of a day or a week."""

    first: dt.date
    last: dt.date
    step: str = "day"

    def steps(self) -> Iterator[tuple[dt.date, dt.date]]:
        """First and last day of each step; a week is cut where the period begins or ends."""
        first = self.first
        while first <= self.last:
            last = (
                first
                if self.step == "day"
                else first + dt.timedelta(days=6 - (first.weekday() + 1) % 7)
            )
            yield first, min(last, self.last)
            first = last + dt.timedelta(days=1)

    def before(self) -> Period:
        """The period of the same length that ends the day before this one begins."""
        length = self.last - self.first
        return replace(
            self,
            first=self.first - length - dt.timedelta(days=1),
            last=self.first - dt.timedelta(days=1),
        )


def last_weeks(today: dt.date, weeks: int) -> Period:
    """The week of `today` so far, and the whole weeks before it, `weeks` in all."""
    sunday = today - dt.timedelta(days=(today.weekday() + 1) % 7)
    return Period(sunday - dt.timedelta(weeks=weeks - 1), today)
