"""The choices of the Reports page, all in the URL: a report, its days, and a facility."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import streamlit as st

from app_pages.session import labels
from app_pages.url import filters
from app_pages.url import view as url_view
from pipelines import reports
from pipelines.analytics import period
from pipelines.worklist.worklist import Worklist

REPORTS = {**reports.NOTEBOOKS, reports.DIGEST: "Weekly digest"}
ABOUT = {
    "backlog_review": "for a manager, monthly: is the list under control, what is stuck, "
    "which facility needs help?",
    "aging_audit": "for an analyst: how long tasks really take, how they end, "
    "who defers them and who holds them.",
    "rule_audit": "for whoever changes rules: what each asks for, what becomes of it, "
    "and what does not stay done.",
    reports.DIGEST: "for managers: one page for an e-mail, facility by facility; "
    "the week of the last day, or the last whole week.",
}
PERIOD = 5  # weeks, unless others are chosen


def read(worklist: Worklist) -> url_view.View:
    """The view this page's URL asks for."""
    return url_view.read(
        "reports",
        [
            url_view.Param("report", "Report", "one", lambda: REPORTS, "backlog_review"),
            replace(filters.param(worklist, "facility"), kind="one"),
            url_view.Param("days", "Days", "days"),
        ],
    )


def show_choices(view: url_view.View, worklist: Worklist) -> None:
    """The widgets."""
    facilities = labels.facilities(worklist)
    st.selectbox(
        "Report",
        [*REPORTS],
        key=view.key("report"),
        format_func=REPORTS.__getitem__,
        on_change=view.changed("report"),
        width=220,
    )
    st.selectbox(
        "Facility",
        list(facilities),
        key=view.key("facility"),
        format_func=facilities.__getitem__,
        on_change=view.changed("facility"),
        index=None,
        placeholder="All" if worklist.state.facility_ids is None else "Choose a facility",
        width=260,
    )
    key = "reports.period"
    st.session_state[key] = days(view, worklist)

    def take() -> None:
        chosen = st.session_state[key]
        if len(chosen) == 2:  # between the two clicks there is only the first day
            view.set("days", "..".join(map(url_view.written, chosen)))

    st.date_input(
        "Days", key=key, max_value=worklist.at.date(), on_change=url_view.touch(take), width=240
    )


def days(view: url_view.View, worklist: Worklist) -> tuple[dt.date, dt.date]:
    """The first and the last day of the report."""
    if view["days"]:
        first, last = url_view.days(view["days"])
        return min(first, worklist.at.date()), min(last, worklist.at.date())
    usual = period.last_weeks(worklist.at.date(), PERIOD)
    return usual.first, usual.last
