"""Reports: executed notebooks as offline pages with spreadsheets, and the weekly digest.

No report names a patient: tasks appear as counts and ids. The workbench shows the patient of an
id, and records who looked.
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
USUAL_WEEKS = 5  # the default period: this week so far and the four before it


@dataclass(frozen=True)
class Scope:
    """What a report covers: its time (aware), its days, and its facility, None for all."""

    at: dt.datetime
    period: Period
    facility_id: str | None = None

    @property
    def facility_ids(self) -> tuple[str, ...]:
        """The facility as a value of Filters."""
        return () if self.facility_id is None else (self.facility_id,)


def scope(
    settings: Settings,
    at: dt.datetime,
    first: dt.date | None,
    last: dt.date | None,
    facility_id: str | None,
) -> Scope:
    """The scope of these options; UserError for an unknown facility, a wrong period, or no list."""
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
    """The scope of the week of `day`, or of the last whole week before `at`."""
    with open_worklist(settings, at) as listed:
        today = today_at(listed, facility_id)
    sunday = analytics_period.last_weeks(day or today - dt.timedelta(weeks=1), 1).first
    if sunday > today:
        raise UserError(f"The week of {day} has not come yet")
    return Scope(at, Period(sunday, sunday + dt.timedelta(days=6)), facility_id)


def today_at(listed: Worklist, facility_id: str | None) -> dt.date:
    """Today at a facility, or at the easternmost one."""
    return max(listed.at.astimezone(zone).date() for zone in zones(listed, facility_id))
