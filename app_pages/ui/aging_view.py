"""The view of the Aging page: its part of the URL, the filters that means, and the ways from its numbers to the tasks they count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from app_pages.ui import facets, names, past, url_state
from pipelines import measures
from pipelines.worklist import Filters, State, Worklist

SECTIONS = {
    "age": "Age of open tasks",
    "time": "Time to clear",
    "ends": "How tasks end",
    "deferrals": "Deferrals",
    "owners": "Owners",
    "money": "Money waiting",
}
SPLITS = {"type": "Task type", "category": "Category", "facility": "Facility", "payer": "Payer", "staff": "Staff member", "all": "All together"}
CLOCKS = {"since": "Since it fell due", "active": "Less deferred time", "opened": "Since it was first seen"}


def read(worklist: Worklist) -> url_state.View:
    """The view this page's URL asks for; `curve` names the value of the split whose limits are drawn."""
    return url_state.read(
        "aging",
        [
            *facets.params(worklist, facets.OF_REPORTS),
            url_state.Param("show", "Show", "one", lambda: SECTIONS, "age"),
            url_state.Param("split", "Split", "one", lambda: SPLITS, "type"),
            url_state.Param("clock", "Clock", "one", lambda: CLOCKS, "since"),
            url_state.Param("curve", "Curve", "one"),
            past.PARAM,
        ],
    )


def filters(view: url_state.View) -> Filters:
    """The filters the view means, for tasks of any state."""
    return Filters(status="all", **facets.chosen(view))


def show_choice(view: url_state.View, name: str, label: str, choices: dict[str, str], then: Callable[[], None] | None = None) -> None:
    """A choice of the view as buttons in a row."""
    st.segmented_control(label, list(choices), key=view.key(name), format_func=choices.get, on_change=view.changed(name, then), required=True)


def show_split(view: url_state.View) -> None:
    """By what the numbers are split."""
    show_choice(view, "split", "Split by", SPLITS, lambda: view.set("curve", None))


def labels(worklist: Worklist, split_by: str) -> Callable[[object], str]:
    """What the values of a split are called; a task without any has a blank one."""
    known = {"person": names.staff(worklist), "all": {}, **facets.labels(worklist)}[split_by]
    return lambda value: "All tasks" if value == "all" else known.get(value, str(value)) if isinstance(value, str) else "None named"


def narrowed(wanted: Filters, split_by: str, value: object, **changes: object) -> Filters | None:
    """The filters for one value of a split only; None where the Tasks page has no name for it."""
    if split_by == "all" or value == "all":
        return replace(wanted, **changes)
    return replace(wanted, **{facets.FIELDS[split_by]: (value,)}, **changes) if isinstance(value, str) else None


def answer(measure: Callable, worklist: Worklist, wanted: Filters, *more: object) -> object:
    """What a function of pipelines.outcomes or measures says of the list, kept for as long as it stays the same."""
    return _answer(measure.__name__, worklist.state, wanted, more, measure, worklist)


@st.cache_data(max_entries=200, show_spinner=False)
def _answer(name: str, state: State, wanted: Filters, more: tuple, _measure: Callable, _worklist: Worklist) -> object:
    return _measure(_worklist, wanted, *more)


def days(number: float | None) -> str:
    """A number of days in words; None was never reached."""
    return "not reached" if number is None else "1 day" if number == 1 else f"{number:,.1f} days".replace(".0 ", " ")


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent."""
    return f"{part / whole:.0%}" if whole else "–"


def four_weeks(worklist: Worklist) -> measures.Period:
    """The four weeks that ended yesterday."""
    yesterday = worklist.at.date() - dt.timedelta(days=1)
    return measures.Period(yesterday - dt.timedelta(days=27), yesterday)
