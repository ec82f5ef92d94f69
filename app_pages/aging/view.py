"""The view of the Aging page: its part of the URL, the filters that means, and the ways from its numbers to the tasks they count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from app_pages.session import labels as session_labels
from app_pages.url import filters as url_filters
from app_pages.url import time_travel
from app_pages.url import view as url_view
from pipelines.analytics import period
from pipelines.worklist.at import State
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
CLOCKS = {
    "since": "Since it fell due",
    "active": "Less deferred time",
    "opened": "Since it was first seen",
}


def read(worklist: Worklist) -> url_view.View:
    """The view this page's URL asks for; `curve` names the value of the split whose limits are drawn."""
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


def filters(view: url_view.View) -> Filters:
    """The filters the view means, for tasks of any state."""
    return Filters(status="all", **url_filters.chosen(view))


def show_choice(
    view: url_view.View,
    name: str,
    label: str,
    choices: dict[str, str],
    then: Callable[[], None] | None = None,
) -> None:
    """A choice of the view as buttons in a row."""
    st.segmented_control(
        label,
        list(choices),
        key=view.key(name),
        format_func=choices.get,
        on_change=view.changed(name, then),
        required=True,
    )


def show_split(view: url_view.View) -> None:
    """By what the numbers are split."""
    show_choice(view, "split", "Split by", SPLITS, lambda: view.set("curve", None))


def labels(worklist: Worklist, split_by: str) -> Callable[[object], str]:
    """What the values of a split are called; a task without any has a blank one."""
    known = {"person": session_labels.staff(worklist), "all": {}, **url_filters.labels(worklist)}[
        split_by
    ]
    return lambda value: (
        "All tasks"
        if value == "all"
        else known.get(value, str(value))
        if isinstance(value, str)
        else "None named"
    )


def narrowed(wanted: Filters, split_by: str, value: object, **changes: object) -> Filters | None:
    """The filters for one value of a split only; None where the Tasks page has no name for it."""
    if split_by == "all" or value == "all":
        return replace(wanted, **changes)
    return (
        replace(wanted, **{url_filters.FIELDS[split_by]: (value,)}, **changes)
        if isinstance(value, str)
        else None
    )


def answer(measure: Callable, worklist: Worklist, wanted: Filters, *more: object) -> object:
    """What a function of pipelines.outcomes or measures says of the list, kept for as long as it stays the same."""
    return _answer(measure.__name__, worklist.state, wanted, more, measure, worklist)


@st.cache_data(max_entries=200, show_spinner=False)
def _answer(
    name: str, state: State, wanted: Filters, more: tuple, _measure: Callable, _worklist: Worklist
) -> object:
    return _measure(_worklist, wanted, *more)


def days(number: float | None) -> str:
    """A number of days in words; None was never reached."""
    return (
        "not reached"
        if number is None
        else "1 day"
        if number == 1
        else f"{number:,.1f} days".replace(".0 ", " ")
    )


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent."""
    return f"{part / whole:.0%}" if whole else "–"


def four_weeks(worklist: Worklist) -> period.Period:
    """The four weeks that ended yesterday."""
    yesterday = worklist.at.date() - dt.timedelta(days=1)
    return period.Period(yesterday - dt.timedelta(days=27), yesterday)
