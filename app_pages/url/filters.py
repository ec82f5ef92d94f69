"""The filters of pipelines.worklist.filters in the URL and as widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import streamlit as st

from app_pages.session import cached
from app_pages.session import labels as session_labels
from app_pages.url import view as url_view
from pipelines.vocabulary import ME
from pipelines.worklist.filters import BY_NAME, FILTERS, OFFERED, Filter, Filters, of_fields
from pipelines.worklist.worklist import Worklist

LABELS = {one.name: one.label for one in OFFERED}
OF_REPORTS = tuple(name for name in LABELS if name != "age")  # reports show the age themselves


def params(worklist: Worklist, names: Sequence[str] = tuple(BY_NAME)) -> list[url_view.Param]:
    """The parameters of some filters in the URL."""
    return [param(worklist, name) for name in names]


def param(worklist: Worklist, name: str) -> url_view.Param:
    """The parameter of one filter; a facility is one of those that the person may see."""
    one = BY_NAME[name]
    known = session_labels.of_filter(worklist, one)
    return url_view.Param(
        one.name,
        one.label,
        one.kind,
        None if known is None else lambda: known,
        one.default,
        among(worklist) if name == "facility" else "",
    )


def among(worklist: Worklist) -> str:
    """The end of a message that a value does not exist: it may exist at another facility."""
    return "" if worklist.state.facility_ids is None else " at your facilities"


def labels(worklist: Worklist) -> Mapping[str, Mapping[str, str]]:
    """The labels of the values of each offered filter."""
    return {one.name: session_labels.of_filter(worklist, one) or {} for one in OFFERED}


def chosen(view: url_view.View, status: str | None = None) -> Filters:
    """The filters the view means, of this status where it is given; Me is the person who looks."""
    found: dict[str, object] = {}
    for one in FILTERS:
        if one.name in view.params and (one.needs is None or view[one.needs]):
            found |= _fields(one, view[one.name])
    filters = of_fields(found)
    return filters if status is None else replace(filters, status=status)


def _fields(one: Filter, value: str | list[str] | None) -> dict[str, object]:
    """The fields of Filters that one value of the view means."""
    if isinstance(value, list):
        is_staff = one.name == "staff"
        return {one.fields[0]: tuple(_id(text) if is_staff else text for text in value)}
    if value is None or one.kind == "one":
        return {} if value is None else {one.fields[0]: value}
    first, last = url_view.evenings(value) if one.kind == "evenings" else url_view.days(value)
    is_one = one.kind == "evenings" and first == last
    return dict(zip(one.fields, (None if is_one else first, last), strict=True))


def _id(value: str) -> str:
    return session_labels.me() if value == ME else value


def query_of(wanted: Filters) -> dict[str, list[str]]:
    """The query of these filters, as `chosen` reads it; ValueError for days without an end."""
    query: dict[str, list[str]] = {}
    for one in FILTERS:
        values = [getattr(wanted, field) for field in one.fields]
        given = [value for value in values if value not in (None, ())]
        if not given or values == [one.default]:
            continue
        if one.kind == "many":
            query[one.name] = sorted(values[0])
        elif one.kind == "one":
            query[one.name] = [values[0]]
        elif one.kind == "days" and len(given) < len(values):
            raise ValueError(f"{one.name}: the Tasks page needs both days")
        else:
            query[one.name] = ["..".join(map(url_view.written, given))]
    return query


def show(
    view: url_view.View,
    worklist: Worklist,
    filters: Filters,
    then: Callable[[], None] | None = None,
) -> None:
    """The widgets: each offers the values that have tasks given the others, and the chosen ones."""
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
    for name in (name for name in LABELS if name in view.params):
        values = set(offered[name]) | set(view[name])
        if name == "staff" and me in values:
            values = (values - {me} | {ME}) if me not in view[name] else values | {ME}
        # Values without labels of their own, as of a new filter, come in their own order.
        options = [value for value in known[name] or sorted(values) if value in values]
        st.multiselect(
            LABELS[name],
            options,
            key=view.key(name),
            format_func=_label_in(known[name]),
            on_change=view.changed(name, then),
            placeholder="All",
        )


def show_closed(
    view: url_view.View, worklist: Worklist, is_open: bool, then: Callable[[], None]
) -> None:
    """The filters whose values are not counted; they choose among closed tasks."""
    for one in FILTERS:
        if one.kind == "many" and not one.is_offered and (not is_open or view[one.name]):
            known = session_labels.of_filter(worklist, one) or {}
            st.multiselect(
                one.label,
                list(known),
                key=view.key(one.name),
                format_func=known.__getitem__,
                on_change=view.changed(one.name, then),
                placeholder="All",
            )


def _label_in(names: Mapping[str, str]) -> Callable[[str], str]:
    return lambda value: names.get(value, value)


def _no_task(view: url_view.View) -> dict[str, None]:
    return {"task": None} if "task" in view.params else {}


def without_tasks(view: url_view.View, worklist: Worklist, filters: Filters) -> list[str]:
    """Messages for values without tasks now; they stay in the URL, so bookmarks keep working."""
    offered, known = cached.ask(Worklist.options, worklist, filters), labels(worklist)
    return [
        f"No tasks now for {LABELS[name].lower()} “{known[name].get(value, value)}”"
        for name in LABELS
        if name in view.params
        for value in view[name]
        if _id(value) not in offered[name]
    ]
