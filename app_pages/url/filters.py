"""The filters that several pages have: facility, category, type, payer, staff and age, in the URL and as widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from app_pages.session import cached
from app_pages.session import labels as session_labels
from app_pages.url import view as url_view
from pipelines.vocabulary import AGE_BANDS, ME
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

FACETS = {
    "facility": "Facility",
    "category": "Category",
    "type": "Task type",
    "payer": "Payer",
    "staff": "Staff member",
    "age": "Age",
}
FIELDS = {  # of Filters
    "facility": "facility_ids",
    "category": "categories",
    "type": "rule_ids",
    "payer": "payer_ids",
    "staff": "staff_ids",
    "age": "age_bands",
}
OF_REPORTS = ("facility", "category", "type", "payer", "staff")  # where age is what is asked for


def params(worklist: Worklist, facets: Sequence[str] = tuple(FACETS)) -> list[url_view.Param]:
    """Their parameters in the URL."""
    known = labels(worklist)
    return [
        facility(worklist)
        if name == "facility"
        else url_view.Param(name, FACETS[name], known=lambda name=name: known[name])
        for name in facets
    ]


def facility(worklist: Worklist, kind: str = "many") -> url_view.Param:
    """The facility in the URL, which is one of those that the person may see."""
    known = session_labels.facilities(worklist)
    return url_view.Param(
        "facility", FACETS["facility"], kind, lambda: known, among=among(worklist)
    )


def among(worklist: Worklist) -> str:
    """To add to the words for what is not found: it may well be at another facility."""
    return "" if worklist.state.facility_ids is None else " at your facilities"


def labels(worklist: Worklist) -> Mapping[str, Mapping[str, str]]:
    """What each filter's values are called."""
    return {
        "facility": session_labels.facilities(worklist),
        "category": session_labels.categories(),
        "type": session_labels.types(worklist),
        "payer": session_labels.payers(worklist),
        "staff": session_labels.staff(worklist),
        "age": AGE_BANDS,
    }


def chosen(view: url_view.View, status: str) -> Filters:
    """The filters the view has chosen, for tasks of this status; "me" is the person who looks."""
    found = Filters(status)
    for facet in (name for name in FACETS if name in view.params):
        values = tuple(
            session_labels.me() if (facet, value) == ("staff", ME) else value
            for value in view[facet]
        )
        found = _with(found, facet, values)
    return found


def narrow(filters: Filters, facet: str, value: str) -> Filters:
    """These filters with this one value of a facet."""
    return _with(filters, facet, (value,))


def _with(filters: Filters, facet: str, values: tuple[str, ...]) -> Filters:
    fields: dict[str, Any] = {FIELDS[facet]: values}  # the fields of facets are all tuples of ids
    return replace(filters, **fields)


def show(
    view: url_view.View,
    worklist: Worklist,
    filters: Filters,
    then: Callable[[], None] | None = None,
) -> None:
    """The widgets, each offering what has tasks now given the others, and what the view says already."""
    offered, known = cached.ask(Worklist.options, worklist, filters), labels(worklist)
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        st.markdown("**Filters**")
        st.button(
            "Clear",
            key=f"{view.scope}.clear",
            type="tertiary",
            on_click=url_view.touch(view.clear),
            disabled=not view.query(**_no_task(view)),
        )
    me = session_labels.me()
    for name in (name for name in FACETS if name in view.params):
        values = set(offered[name]) | set(view[name])
        if name == "staff" and me in values:
            values = (values - {me} | {ME}) if me not in view[name] else values | {ME}
        options = [value for value in known[name] if value in values]
        st.multiselect(
            FACETS[name],
            options,
            key=view.key(name),
            format_func=lambda value, called=known[name]: called.get(value, value),
            on_change=view.changed(name, then),
            placeholder="All",
        )


def _no_task(view: url_view.View) -> dict[str, None]:
    return {"task": None} if "task" in view.params else {}


def without_tasks(view: url_view.View, worklist: Worklist, filters: Filters) -> list[str]:
    """The view's values that have no tasks now: they stay in the URL, since a bookmark must work tomorrow."""
    offered, known = cached.ask(Worklist.options, worklist, filters), labels(worklist)
    return [
        f"No tasks now for {FACETS[name].lower()} “{known[name].get(value, value)}”"
        for name in FACETS
        if name in view.params
        for value in view[name]
        if (session_labels.me() if value == ME else value) not in offered[name]
    ]
