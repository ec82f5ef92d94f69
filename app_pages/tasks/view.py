"""The view of the Tasks page: what its URL says, the filters that means, and the widgets that change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from app_pages.components.found_patient import FoundPatient
from app_pages.session import access_record, typed_rows
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import filters as url_filters
from app_pages.url import time_travel
from app_pages.url import view as url_view
from pipelines.records import patient_search, patients
from pipelines.vocabulary import CLOSE_KINDS, HAPPENINGS, OPEN_STATUSES, STANDINGS, STATUSES
from pipelines.worklist.filters import Filters, Order
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
ENDS = {name: kind.label for name, kind in CLOSE_KINDS.items()}
# Days, which come from the links of charts and reports: on the list in an evening, or at some time between two; came to it; left it.
DAYS = {"on": "On the list", "in": "Came to the list", "out": "Left the list"}


def read(worklist: Worklist) -> url_view.View:
    """The view this page's URL asks for."""
    return url_view.read(
        "tasks",
        [
            *url_filters.params(worklist),
            url_view.Param("status", "Status", "one", lambda: STATUSES, "pending"),
            url_view.Param("ended", "How it ended", known=lambda: ENDS),
            url_view.Param("had", "What happened", known=lambda: HAPPENINGS),
            url_view.Param("on", DAYS["on"], "evenings"),
            url_view.Param("stood", "How it stood then", "one", lambda: STANDINGS),
            url_view.Param("in", DAYS["in"], "days"),
            url_view.Param("out", DAYS["out"], "days"),
            time_travel.PARAM,
            url_view.Param("sort", "Sort", "one", lambda: SORTS, "since"),
            url_view.Param("patient", "Patient", "one"),
            url_view.Param("page", "Page", "number", default=1),
            url_view.Param("task", "Task", "one"),
        ],
    )


def filters(view: url_view.View) -> Filters:
    """The filters the view means; Me is whoever looks."""
    came, went = (
        url_view.days(view[name]) if view[name] else (None, None) for name in ("in", "out")
    )
    since, on = url_view.evenings(view["on"]) if view["on"] else (None, None)
    return replace(
        url_filters.chosen(view, view["status"]),
        patient_id=view["patient"],
        close_kinds=tuple(view["ended"]),
        happened=tuple(view["had"]),
        open_on=on,
        open_since=None if since == on else since,
        stood_as=view["stood"] if on else None,
        in_from=came[0],
        in_to=came[1],
        out_from=went[0],
        out_to=went[1],
    )


def order(view: url_view.View) -> Order:
    """The order the view means."""
    return Order(view["sort"].removeprefix("-"), view["sort"].startswith("-"))


def show_filters(view: url_view.View, worklist: Worklist) -> None:
    """The widgets of the sidebar."""

    def first_page() -> None:
        view.set("page", 1)

    url_filters.show(view, worklist, filters(view), first_page)
    for name, label, choices in (
        ("ended", "How it ended", ENDS),
        ("had", "What happened", HAPPENINGS),
    ):
        if view["status"] not in OPEN_STATUSES or view[name]:
            st.multiselect(
                label,
                list(choices),
                key=view.key(name),
                format_func=choices.__getitem__,
                on_change=view.changed(name, first_page),
                placeholder="All",
            )
    _show_patient_filter(view, worklist)
    time_travel.show_picker(view)


def show_days(view: url_view.View) -> None:
    """The days the view is limited to, each with the button that takes the limit away: they come with links, and no widget says them."""
    for name in DAYS:
        if view[name]:
            with st.container(horizontal=True, vertical_alignment="center", border=True):
                st.markdown(f":material/date_range: **{_said(view, name)}**", width="stretch")
                st.button(
                    "Any day",
                    key=f"tasks.{name}.clear",
                    type="tertiary",
                    on_click=url_view.touch(_take_away(view, name)),
                )


def _take_away(view: url_view.View, name: str) -> Callable[[], None]:
    def clear() -> None:
        view.set(name, None)
        view.set("page", 1)
        if name == "on":
            view.set("stood", None)

    return clear


def _said(view: url_view.View, name: str) -> str:
    first, last = url_view.evenings(view[name])
    if name == "on" and first != last:
        return f"{DAYS[name]} at some time from the evening of {first:%B %-d} to that of {last:%B %-d, %Y}"
    days = f"{first:%B %-d, %Y}" if first == last else f"{first:%B %-d} to {last:%B %-d, %Y}"
    if name == "on":
        return f"{STANDINGS.get(view['stood'], DAYS[name])} in the evening of {days}"
    return f"{DAYS[name]} {days}"


def _show_patient_filter(view: url_view.View, worklist: Worklist) -> None:
    if view["patient"] is not None:
        found = patients.patient(worklist.con, view["patient"])
        st.markdown(caption("Patient"))
        with st.container(horizontal=True, vertical_alignment="center"):
            if found:
                access_record.note_access(found.patient_id, "filter")
            st.text(found.name if found else f"no patient {view['patient']}", width="stretch")
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
        matches = patient_search.find_patients(worklist.con, text, limit=MOST_FOUND + 1)
        if matches.empty:
            st.markdown(caption("No patient found"))
        access_record.note_accesses(matches.head(MOST_FOUND)["patient_id"].tolist(), "search")
        for match in typed_rows.read(FoundPatient, matches.head(MOST_FOUND)):
            born = f", born {match.born_on:%Y-%m-%d}" if match.born_on else ""
            label = escape_markdown(f"{match.name}{born}")
            st.button(
                label,
                key=f"tasks.patient.{match.patient_id}",
                type="tertiary",
                on_click=url_view.touch(_choose),
                args=(view, match.patient_id),
            )
        if len(matches) > MOST_FOUND:
            st.markdown(caption("There are more: write more of the name"))


def _choose(view: url_view.View, patient_id: str | None) -> None:
    view.set("patient", patient_id)
    view.set("page", 1)
    st.session_state["tasks.find"] = ""
