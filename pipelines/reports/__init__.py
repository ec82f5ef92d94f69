"""Reports: the notebooks executed into pages that work offline, with their tables for a spreadsheet, and the weekly digest.

No report names a patient: tasks appear as counts and ids, and who wants to know whose task it is opens the workbench, where looks are noted.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pipelines.analytics import period as analytics_period
from pipelines.analytics.period import Period
from pipelines.errors import UserError
from pipelines.settings import ROOT, Settings
from pipelines.worklist.past import zones
from pipelines.worklist.worklist import Worklist, open_worklist

NOTEBOOKS = {
    "backlog_review": "Backlog review",
    "aging_audit": "Aging audit",
    "rule_audit": "Rule audit",
}
DIGEST = "digest"
FOLDER = ROOT / "notebooks"
USUAL_WEEKS = 5  # a report's period unless one is chosen: these weeks, the last of them so far


@dataclass(frozen=True)
class Scope:
    """What a report is about: the moment it is made (aware), its days, and its facility, None for all of them."""

    at: dt.datetime
    period: Period
    facility_id: str | None = None

    @property
    def facility_ids(self) -> tuple[str, ...]:
        """The facility as a filter has it."""
        return () if self.facility_id is None else (self.facility_id,)


def scope(
    settings: Settings,
    at: dt.datetime,
    first: dt.date | None,
    last: dt.date | None,
    facility_id: str | None,
) -> Scope:
    """The scope that these choices mean; UserError when there is no such facility or period, or no list yet."""
    with open_worklist(settings, at) as listed:
        today = today_at(listed, facility_id)
    usual = analytics_period.last_weeks(min(last, today) if last else today, USUAL_WEEKS)
    period = Period(first or usual.first, last or today)
    if period.first > today:
        raise UserError(f"The period begins on {period.first}, which has not come yet")
    if period.first > period.last:
        raise UserError(f"The period begins on {period.first}, after its last day {period.last}")
    return Scope(at, Period(period.first, min(period.last, today)), facility_id)


def week(
    settings: Settings, at: dt.datetime, day: dt.date | None, facility_id: str | None
) -> Scope:
    """The week of a day, or the last whole week before the moment."""
    with open_worklist(settings, at) as listed:
        today = today_at(listed, facility_id)
    sunday = analytics_period.last_weeks(day or today - dt.timedelta(weeks=1), 1).first
    if sunday > today:
        raise UserError(f"The week of {day} has not come yet")
    return Scope(at, Period(sunday, sunday + dt.timedelta(days=6)), facility_id)


def today_at(listed: Worklist, facility_id: str | None) -> dt.date:
    """The day it is at a facility, or at the one where it is latest."""
    return max(listed.at.astimezone(zone).date() for zone in zones(listed, facility_id))
