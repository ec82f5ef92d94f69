"""What the Backlog page asks: its URL, the period and split it means, and the answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pandas as pd

from app_pages.session import cached
from app_pages.url import filters as url_filters
from app_pages.url import time_travel
from app_pages.url import view as url_view
from pipelines.analytics import flow as analytics_flow
from pipelines.analytics import period as analytics_period
from pipelines.analytics.period import Period
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

SPLITS = {
    "facility": "Facility",
    "category": "Category",
    "type": "Task type",
    "payer": "Payer",
    "staff": "Staff member",
    "all": "All together",
}
WEEKS = {"4": "4 weeks", "8": "8 weeks", "13": "13 weeks", "26": "26 weeks"}
STEPS = {"day": "Days", "week": "Weeks, Sunday to Saturday"}
CHOICES = {"weeks": ("Period", WEEKS), "step": ("Steps", STEPS), "split": ("By", SPLITS)}


@dataclass(frozen=True)
class Asked:
    """What one view of the page asks."""

    filters: Filters
    period: Period
    split: str
    names: Mapping[str, str]
    view: url_view.View

    @property
    def split_label(self) -> str:
        """What the split is called."""
        return SPLITS[self.split]

    @property
    def evening_before(self) -> dt.date:
        """The day before the period: the standing on its evening is compared with now."""
        return self.period.first - dt.timedelta(days=1)

    def name_of(self, value: str) -> str:
        """What a value of the split is called."""
        return self.names.get(value, value)


@dataclass(frozen=True)
class Moves:
    """flow.flow by the split, and of all together."""

    flow: analytics_flow.Flow
    whole: pd.DataFrame
    whole_before: pd.Series
    again: tuple[int, int]  # of what came in and what went out, how much is counted twice


@dataclass(frozen=True)
class Standing:
    """The open tasks by the split, now and on the evening before the period."""

    now: pd.DataFrame
    before: pd.DataFrame


def read(worklist: Worklist) -> url_view.View:
    """The view this page's URL asks for."""
    return url_view.read(
        "backlog",
        [
            *url_filters.params(worklist, url_filters.OF_REPORTS),
            url_view.Param("weeks", "Period", "one", lambda: WEEKS, "8"),
            url_view.Param("step", "Steps", "one", lambda: STEPS, "week"),
            url_view.Param("split", "By", "one", lambda: SPLITS, "facility"),
            time_travel.PARAM,
        ],
    )


def asked(view: url_view.View, worklist: Worklist) -> Asked:
    """What the view asks of the list that is shown."""
    filters = url_filters.chosen(view, "open")
    weeks = analytics_period.last_weeks(today(worklist, filters), int(view["weeks"]))
    period = Period(weeks.first, weeks.last, view["step"])
    names = {"all": "All tasks", **url_filters.labels(worklist).get(view["split"], {})}
    return Asked(filters, period, view["split"], names, view)


def today(worklist: Worklist, filters: Filters) -> dt.date:
    """Today at the facilities of the view; the earlier day where they differ.

    So no day of the period is only half over at any of them.
    """
    rows = worklist.facilities()
    ids = filters.facility_ids or set(rows["facility_id"])
    zones = rows.loc[rows["facility_id"].isin(ids), "time_zone"].tolist()
    return min(worklist.at.astimezone(ZoneInfo(zone)).date() for zone in zones or ["UTC"])


def moves(worklist: Worklist, asked: Asked) -> Moves:
    """What moved in the period and in the one before it."""
    flow = cached.ask(analytics_flow.flow, worklist, asked.filters, asked.period, asked.split)
    again = cached.ask(analytics_flow.moved_often, worklist, asked.filters, asked.period)
    numbers = [*analytics_flow.MOVES, "open_at_end"]
    whole = flow.steps.groupby(["first", "last"], as_index=False)[numbers].sum()
    return Moves(flow, whole, flow.before[numbers].sum(), again)


def standing(worklist: Worklist, asked: Asked) -> Standing:
    """The open tasks now, and on the evening before the period."""
    evening = asked.evening_before
    return Standing(
        cached.ask(analytics_flow.standing, worklist, asked.filters, asked.split),
        cached.ask(analytics_flow.standing_then, worklist, asked.filters, evening, asked.split),
    )
