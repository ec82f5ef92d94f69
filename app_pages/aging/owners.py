"""How long each owner holds tasks."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.aging import view as aging_view
from app_pages.components import number_table
from app_pages.session import cached
from app_pages.session.markdown import caption
from app_pages.url import view as url_view
from pipelines.analytics import outcomes
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

EXPLANATION = (
    "Held from when the workbench first saw the task, or it became theirs, until it was closed, "
    "passed on, or now; time while deferred counts. Draft and other document tasks move to "
    "the last editor of the document, without anybody handing them over: many passed on or few "
    "days held say nothing about effort. Filtered by staff, these are the tasks that are "
    "theirs now, with all earlier owners."
)


def show(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    """One row an owner, and how to read it."""
    found = cached.ask(outcomes.held, worklist, wanted)
    if found.empty:
        st.info("No task was ever on this list with these filters.", icon=":material/inbox:")
        return
    split = aging_view.split(worklist, "staff")
    rows = found.assign(
        named=[split.name_of(value) for value in found["split"]],
        days=found["days"].round(1),
        passed_on=found["tasks"] - found["holding"] - found["closed"],
    )
    st.subheader("How long does each owner hold a task?")

    def links(row: pd.Series) -> number_table.Links:
        theirs = split.narrow(wanted, row["split"])
        if theirs is not None:
            yield "Holding now", int(row["holding"]), replace(theirs, status="open")
            yield "Closed while theirs", int(row["closed"]), replace(theirs, status="closed")

    columns = {
        "named": number_table.text("Owner"),
        "holding": number_table.number("Holding now"),
        "closed": number_table.number("Closed while theirs", "However it ended"),
        "passed_on": number_table.number("Passed on", "Theirs once, then another person's"),
        "median": number_table.number(
            "Days held, median", "Of a task, all its times with this owner together", "%.1f"
        ),
        "p90": number_table.number("90th pct.", "Nine of ten were held for less", "%.1f"),
        "days": number_table.number("Days held", "All tasks together", "localized"),
    }
    alt = f"Days held by the {len(rows)} owners"
    number_table.show(view, rows, columns, alt, links, name="owners")
    st.markdown(caption(EXPLANATION))
