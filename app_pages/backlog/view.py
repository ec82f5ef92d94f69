"""What the Backlog page asks: its URL, the period and the split it means, and the answers, kept by the state of the list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from app_pages.url import filters as url_filters
from app_pages.url import time_travel
from app_pages.url import view as url_view
from pipelines.analytics import flow as analytics_flow
from pipelines.analytics import period as analytics_period
from pipelines.analytics.period import Period
from pipelines.worklist.at import State
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
CHOICES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "weeks": ("Period", WEEKS),
    "step": ("Steps", STEPS),
    "split": ("By", SPLITS),
}


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
        """The day before the period: how it stood then is what now is compared with."""
        return self.period.first - dt.timedelta(days=1)

    def called(self, value: str) -> str:
        """The name of a value of the split."""
        return self.names.get(value, value)


@dataclass(frozen=True)
class Moves:
    """measures.flow by the split, and of all together."""

    flow: analytics_flow.Flow
    whole: pd.DataFrame
    whole_before: pd.Series
    again: tuple[int, int]  # of what came and what went, what is counted twice


@dataclass(frozen=True)
class Standing:
    """How the open tasks stand by the split, and how those stood that were open in the evening before the period."""

    now: pd.DataFrame
    before: pd.DataFrame


def read(worklist: Worklist) -> url_view.View:
    """The view this page's URL asks for."""
    choices = [
        url_view.Param(name, label, "one", lambda known=known: known, default)
        for (name, (label, known)), default in zip(
            CHOICES.items(), ("8", "week", "facility"), strict=True
        )
    ]
    return url_view.read(
        "backlog",
        [*url_filters.params(worklist, url_filters.OF_REPORTS), *choices, time_travel.PARAM],
    )


def asked(view: url_view.View, worklist: Worklist) -> Asked:
    """What it asks of the list that is shown."""
    filters = Filters(status="open", **url_filters.chosen(view))
    period = analytics_period.last_weeks(today(worklist, filters), int(view["weeks"]))
    names = {"all": "All tasks", **url_filters.labels(worklist).get(view["split"], {})}
    return Asked(
        filters, Period(period.first, period.last, view["step"]), view["split"], names, view
    )


def today(worklist: Worklist, filters: Filters) -> dt.date:
    """The day it is at the facilities of the view; the earlier one where they differ, so that no day of the period is only half there anywhere."""
    rows = worklist.facilities()
    zones = rows.loc[
        rows["facility_id"].isin(filters.facility_ids or set(rows["facility_id"])), "time_zone"
    ].tolist()
    return min(worklist.at.astimezone(ZoneInfo(zone)).date() for zone in zones or ["UTC"])


def moves(worklist: Worklist, asked: Asked) -> Moves:
    """What moved in the period and in the one before it."""
    flow, again = _flow(worklist.state, asked.filters, asked.period, asked.split, worklist)
    numbers = [*analytics_flow.MOVES, "open_at_end"]
    whole = flow.steps.groupby(["first", "last"], as_index=False)[numbers].sum()
    return Moves(flow, whole, flow.before[numbers].sum(), again)


def standing(worklist: Worklist, asked: Asked) -> Standing:
    """How it stands now and stood before the period."""
    return _standing(worklist.state, asked.filters, asked.evening_before, asked.split, worklist)


@st.cache_data(max_entries=100, show_spinner=False)
def _flow(
    state: State, filters: Filters, period: Period, split: str, _worklist: Worklist
) -> tuple[analytics_flow.Flow, tuple[int, int]]:
    return analytics_flow.flow(_worklist, filters, period, split), analytics_flow.moved_often(
        _worklist, filters, period
    )


@st.cache_data(max_entries=100, show_spinner=False)
def _standing(
    state: State, filters: Filters, evening: dt.date, split: str, _worklist: Worklist
) -> Standing:
    return Standing(
        analytics_flow.standing(_worklist, filters, split),
        analytics_flow.standing_then(_worklist, filters, evening, split),
    )
