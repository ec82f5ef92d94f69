"""The numbers above the list of tasks: of what is open, or of what a list with closed tasks holds."""

from __future__ import annotations

import streamlit as st

from app_pages.session import cached
from app_pages.tasks import view as tasks_view
from app_pages.url import view as url_view
from pipelines.vocabulary import OPEN_STATUSES
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist


def show(worklist: Worklist, view: url_view.View, filters: Filters) -> None:
    """Four numbers of the tasks that match."""
    if view["status"] in OPEN_STATUSES:
        numbers = _of_open(worklist, filters)
        shown = {
            "Pending": _pending(numbers),
            "Overdue": numbers["overdue"],
            "Deferred": numbers["deferred"],
        }
    else:
        numbers = cached.ask(Worklist.summary, worklist, filters)
        closed = numbers["tasks"] - numbers["still_open"]
        shown = {
            "Still open": numbers["still_open"],
            "Completed by people": numbers["by_people"],
            "Closed by the system": closed - numbers["by_people"],
        }
    with st.grid(4):
        for label, number in shown.items():
            st.metric(label, f"{number:,}", border=True)
        # Of closed tasks it is what they said when they closed: nobody waits for it.
        label = "Dollars waiting" if view["status"] in OPEN_STATUSES else "Dollars named"
        st.metric(
            label,
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
        "pending": _pending(numbers),
        "overdue": numbers["overdue"],
        "deferred": numbers["deferred"],
        "open": numbers["tasks"],
    }
    return of_status[view["status"]]


def _of_open(worklist: Worklist, filters: Filters) -> dict[str, object]:
    return cached.ask(Worklist.summary, worklist, tasks_view.all_statuses(filters))


def _pending(numbers: dict[str, object]) -> int:
    return numbers["tasks"] - numbers["deferred"]
