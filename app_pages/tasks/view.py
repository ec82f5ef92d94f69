"""The view of the Tasks page: its part of the URL, the filters, and their widgets."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app_pages.session import patient_data
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import filters as url_filters
from app_pages.url import time_travel
from app_pages.url import view as url_view
from pipelines.vocabulary import OPEN_STATUSES, STANDINGS
from pipelines.worklist.filters import BY_NAME, FILTERS, Filter, Order
from pipelines.worklist.worklist import Worklist

SORTS = {
    "since": "Oldest first",
    "-since": "Newest first",
    "due": "Due first",
    "task": "Task, A to Z",
    "patient": "Patient, A to Z",
    "payer": "Payer, A to Z",
    "staff": "Staff, A to Z",
    "facility": "Facility, A to Z",
    "-amount": "Largest amount first",
}
MOST_FOUND = 8  # patients, for whom the sidebar has room


def read(worklist: Worklist) -> url_view.View:
    """The view this page's URL asks for."""
    return url_view.read(
        "tasks",
        [
            *url_filters.params(worklist, [name for name in BY_NAME if name != "patient"]),
            time_travel.PARAM,
            url_view.Param("sort", "Sort", "one", lambda: SORTS, "since"),
            url_filters.param(worklist, "patient"),
            url_view.Param("page", "Page", "number", default=1),
            url_view.Param("task", "Task", "one"),
        ],
    )


def order(view: url_view.View) -> Order:
    """The order the view means."""
    return Order(view["sort"].removeprefix("-"), view["sort"].startswith("-"))


def show_filters(view: url_view.View, worklist: Worklist) -> None:
    """The widgets of the sidebar."""

    def first_page() -> None:
        view.set("page", 1)

    url_filters.show(view, worklist, url_filters.chosen(view), first_page)
    url_filters.show_closed(view, worklist, view["status"] in OPEN_STATUSES, first_page)
    _show_patient_filter(view, worklist)
    time_travel.show_picker(view)


def show_days(view: url_view.View) -> None:
    """The days that a link limits the view to, each with a button that removes the limit."""
    for one in FILTERS:
        if one.kind in ("days", "evenings") and view[one.name]:
            with st.container(horizontal=True, vertical_alignment="center", border=True):
                st.markdown(f":material/date_range: **{_said(view, one)}**", width="stretch")
                st.button(
                    "Any day",
                    key=f"tasks.{one.name}.clear",
                    type="tertiary",
                    on_click=url_view.touch(_take_away(view, one.name)),
                )


def _take_away(view: url_view.View, name: str) -> Callable[[], None]:
    def clear() -> None:
        view.set(name, None)
        view.set("page", 1)
        for one in FILTERS:
            if one.needs == name:
                view.set(one.name, None)

    return clear


def _said(view: url_view.View, one: Filter) -> str:
    first, last = url_view.evenings(view[one.name])
    if one.kind == "evenings" and first != last:
        return (
            f"{one.label} at some time from the evening of {first:%B %-d}"
            f" to that of {last:%B %-d, %Y}"
        )
    days = f"{first:%B %-d, %Y}" if first == last else f"{first:%B %-d} to {last:%B %-d, %Y}"
    if one.kind == "evenings":
        return f"{STANDINGS.get(view['stood'], one.label)} in the evening of {days}"
    return f"{one.label} {days}"


def _show_patient_filter(view: url_view.View, worklist: Worklist) -> None:
    if view["patient"] is not None:
        name = patient_data.name_in_filter(worklist, view["patient"])
        st.markdown(caption("Patient"))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(name or f"no patient {view['patient']}", width="stretch")
            st.button(
                "All patients",
                key="tasks.patient.clear",
                type="tertiary",
                on_click=url_view.touch(_choose),
                args=(view, None),
            )
        return
    text = st.text_input(
        "Patient",
        key="tasks.find",
        type="search",
        max_chars=80,
        placeholder="Name, birth date, phone or id",
        on_change=url_view.touch(),
    )
    if text and text.strip():
        matches, is_more = patient_data.find(worklist, text, MOST_FOUND)
        if not matches:
            st.markdown(caption("No patient found"))
        for match in matches:
            born = f", born {match.born_on:%Y-%m-%d}" if match.born_on else ""
            label = escape_markdown(f"{match.name}{born}")
            st.button(
                label,
                key=f"tasks.patient.{match.patient_id}",
                type="tertiary",
                on_click=url_view.touch(_choose),
                args=(view, match.patient_id),
            )
        if is_more:
            st.markdown(caption("There are more: write more of the name"))


def _choose(view: url_view.View, patient_id: str | None) -> None:
    view.set("patient", patient_id)
    view.set("page", 1)
    st.session_state["tasks.find"] = ""
