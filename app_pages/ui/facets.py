"""The filters that several pages have: clinic, category, type, payer, staff and age, in the URL and as widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from app_pages.ui import asking, names, url_state
from pipelines.worklist import Filters, Worklist

FACETS = {"facility": "Facility", "category": "Category", "type": "Task type", "payer": "Payer", "staff": "Staff member", "age": "Age"}
FIELDS = {  # of Filters
    "facility": "facility_ids",
    "category": "categories",
    "type": "rule_ids",
    "payer": "payer_ids",
    "staff": "staff_ids",
    "age": "age_bands",
}
OF_REPORTS = ("facility", "category", "type", "payer", "staff")  # where age is what is asked for


def params(worklist: Worklist, facets: Sequence[str] = tuple(FACETS)) -> list[url_state.Param]:
    """Their parameters in the URL."""
    known = labels(worklist)
    return [clinic(worklist) if name == "facility" else url_state.Param(name, FACETS[name], known=lambda name=name: known[name]) for name in facets]


def clinic(worklist: Worklist, kind: str = "many") -> url_state.Param:
    """The clinic in the URL, which is one of those that the person may see."""
    known = names.facilities(worklist)
    return url_state.Param("facility", FACETS["facility"], kind, lambda: known, among=among(worklist))


def among(worklist: Worklist) -> str:
    """To add to the words for what is not found: it may well be at another clinic."""
    return "" if worklist.state.clinics is None else " at your clinics"


def labels(worklist: Worklist) -> Mapping[str, Mapping[str, str]]:
    """What each filter's values are called."""
    return {
        "facility": names.facilities(worklist),
        "category": names.categories(),
        "type": names.types(worklist),
        "payer": names.payers(worklist),
        "staff": names.staff(worklist),
        "age": names.AGES,
    }


def chosen(view: url_state.View) -> dict[str, tuple[str, ...]]:
    """What the view has chosen, as fields of Filters; Me is whoever looks."""
    found = {FIELDS[name]: tuple(view[name]) for name in FACETS if name in view.params}
    found["staff_ids"] = tuple(names.me() if value == names.ME else value for value in found["staff_ids"])
    return found


def show(view: url_state.View, worklist: Worklist, filters: Filters, then: Callable[[], None] | None = None) -> None:
    """The widgets, each offering what has tasks now given the others, and what the view says already."""
    offered, known = asking.options(worklist, filters), labels(worklist)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown("**Filters**")
        st.button(
            "Clear", key=f"{view.scope}.clear", type="tertiary", on_click=url_state.touch(view.clear), disabled=not view.query(**_no_task(view))
        )
    me = names.me()
    for name in (name for name in FACETS if name in view.params):
        values = set(offered[name]) | set(view[name])
        if name == "staff" and me in values:
            values = (values - {me} | {names.ME}) if me not in view[name] else values | {names.ME}
        options = [value for value in known[name] if value in values]
        st.multiselect(
            FACETS[name],
            options,
            key=view.key(name),
            format_func=lambda value, called=known[name]: called.get(value, value),
            on_change=view.changed(name, then),
            placeholder="All",
        )


def _no_task(view: url_state.View) -> dict[str, None]:
    return {"task": None} if "task" in view.params else {}


def without_tasks(view: url_state.View, worklist: Worklist, filters: Filters) -> list[str]:
    """The view's values that have no tasks now: they stay in the URL, since a bookmark must work tomorrow."""
    offered, known = asking.options(worklist, filters), labels(worklist)
    return [
        f"No tasks now for {FACETS[name].lower()} “{known[name].get(value, value)}”"
        for name in FACETS
        if name in view.params
        for value in view[name]
        if (names.me() if value == names.ME else value) not in offered[name]
    ]
