"""The view of the Aging page: its part of the URL, and what its sections share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from app_pages.session import labels as session_labels
from app_pages.url import filters as url_filters
from app_pages.url import time_travel
from app_pages.url import view as url_view
from pipelines.analytics import period
from pipelines.worklist import filters as worklist_filters
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

SECTIONS = {
    "age": "Age of open tasks",
    "time": "Time to clear",
    "ends": "How tasks end",
    "deferrals": "Deferrals",
    "owners": "Owners",
    "money": "Money waiting",
}
SPLITS = {
    "type": "Task type",
    "category": "Category",
    "facility": "Facility",
    "payer": "Payer",
    "staff": "Staff member",
    "all": "All together",
}
ABOUT_INFERRED = (
    "The data do not say when the task fell due: its day is that of the extract that first showed "
    "it, so it may be older"
)
CLOCKS = {
    "since": "Since it fell due",
    "active": "Less deferred time",
    "opened": "Since it was first seen",
}


class Split(NamedTuple):
    """By what the numbers are split, and what the values of the split are called."""

    by: str
    names: dict[str, str]

    @property
    def heading(self) -> str:
        """The heading of the column of values."""
        return url_filters.LABELS.get(self.by, "Tasks")

    @property
    def label(self) -> str:
        """The split within a sentence."""
        return SPLITS[self.by].lower()

    def name_of(self, value: object) -> str:
        """What a value of the split is called; tasks without one are "None named"."""
        if value == "all":
            return "All tasks"
        return self.names.get(value, value) if isinstance(value, str) else "None named"

    def narrow(self, wanted: Filters, value: object) -> Filters | None:
        """The filters for one value of the split; None where the Tasks page cannot filter by it."""
        if self.by == "all" or value == "all":
            return wanted
        return worklist_filters.narrowed(wanted, self.by, value) if isinstance(value, str) else None


def read(worklist: Worklist) -> url_view.View:
    """The view this page's URL asks for; `curve` is the value whose confidence limits are drawn."""
    return url_view.read(
        "aging",
        [
            *url_filters.params(worklist, url_filters.OF_REPORTS),
            url_view.Param("show", "Show", "one", lambda: SECTIONS, "age"),
            url_view.Param("split", "Split", "one", lambda: SPLITS, "type"),
            url_view.Param("clock", "Clock", "one", lambda: CLOCKS, "since"),
            url_view.Param("curve", "Curve", "one"),
            time_travel.PARAM,
        ],
    )


def split(worklist: Worklist, by: str) -> Split:
    """The split by a value of SPLITS, or by "person": who deferred."""
    if by == "all":
        return Split(by, {})
    if by == "person":
        return Split(by, dict(session_labels.staff(worklist)))
    return Split(by, dict(url_filters.labels(worklist)[by]))


def show_choice(
    view: url_view.View,
    name: str,
    label: str,
    choices: dict[str, str],
    then: Callable[[], None] | None = None,
) -> None:
    """One parameter of the view as buttons in a row."""
    st.segmented_control(
        label,
        list(choices),
        key=view.key(name),
        format_func=choices.__getitem__,
        on_change=view.changed(name, then),
        required=True,
    )


def choose_split(view: url_view.View, worklist: Worklist) -> Split:
    """The buttons that choose the split, and the split they have chosen."""
    show_choice(view, "split", "Split by", SPLITS, lambda: view.set("curve", None))
    return split(worklist, view["split"])


def days(number: float | None) -> str:
    """A number of days in words; None was never reached."""
    if number is None:
        return "not reached"
    return "1 day" if number == 1 else f"{number:,.1f} days".replace(".0 ", " ")


def share(part: int, whole: int) -> str:
    """A part of a whole in percent."""
    return f"{part / whole:.0%}" if whole else "–"


def four_weeks(worklist: Worklist) -> period.Period:
    """The four weeks that ended yesterday."""
    yesterday = worklist.at.date() - dt.timedelta(days=1)
    return period.Period(yesterday - dt.timedelta(days=27), yesterday)
