"""The numbers above the list of tasks, and how many tasks it has."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app_pages.session import cached
from app_pages.url import view as url_view
from pipelines.vocabulary import OPEN_STATUSES
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Summary, Worklist


def show(worklist: Worklist, view: url_view.View, filters: Filters) -> None:
    """Four numbers of the tasks that match."""
    if view["status"] in OPEN_STATUSES:
        numbers = _of_open(worklist, filters)
        shown = {
            "Pending": numbers["tasks"] - numbers["deferred"],
            "Overdue": numbers["overdue"],
            "Deferred": numbers["deferred"],
        }
        dollars = "Dollars waiting"
    else:
        numbers = cached.ask(Worklist.summary, worklist, filters)
        closed = numbers["tasks"] - numbers["still_open"]
        shown = {
            "Still open": numbers["still_open"],
            "Completed by people": numbers["by_people"],
            "Closed by the system": closed - numbers["by_people"],
        }
        dollars = "Dollars named"  # of closed tasks nobody waits for them
    with st.grid(4):
        for label, number in shown.items():
            st.metric(label, f"{number:,}", border=True)
        st.metric(
            dollars,
            f"${numbers['amount']:,.2f}",
            border=True,
            help="Uncollected Payments and Refund Request",
        )


def count(worklist: Worklist, view: url_view.View, filters: Filters) -> int:
    """How many tasks the list has."""
    if view["status"] not in OPEN_STATUSES:
        return cached.ask(Worklist.summary, worklist, filters)["tasks"]
    numbers = _of_open(worklist, filters)
    of_status = {
        "pending": numbers["tasks"] - numbers["deferred"],
        "overdue": numbers["overdue"],
        "deferred": numbers["deferred"],
        "open": numbers["tasks"],
    }
    return of_status[view["status"]]


def _of_open(worklist: Worklist, filters: Filters) -> Summary:
    """One summary of all open tasks, which gives the number of each open status."""
    return cached.ask(Worklist.summary, worklist, replace(filters, status="open"))
