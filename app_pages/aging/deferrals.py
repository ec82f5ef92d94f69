"""How often and how long tasks are deferred, and by whom."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.aging import view as aging_view
from app_pages.aging.view import Split
from app_pages.components import number_table
from app_pages.session import cached
from app_pages.session.markdown import caption
from app_pages.url import view as url_view
from pipelines.analytics import outcomes
from pipelines.vocabulary import HAPPENINGS
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

ABOUT_TASKS = (
    "A deferral counts until it runs out, somebody returns or closes the task, or now. Split by "
    "staff, it is whose task it is. Once is planning; more than once, the task may not be one "
    "that can be done."
)
ABOUT_PEOPLE = (
    "Actions of a person, which the Tasks page does not list: one task may have been deferred by "
    "several people."
)


def show(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    """By the split, and by who deferred."""
    split = aging_view.choose_split(view, worklist)
    found = cached.ask(outcomes.deferrals, worklist, wanted, split.by)
    if not found["deferrals"].sum():
        st.info("No task was ever deferred with these filters.", icon=":material/snooze:")
        return
    if split.by != "all":
        sums = found.select_dtypes("number").sum().to_frame().T
        found = pd.concat([sums.assign(split="all"), found], ignore_index=True)
    st.subheader("Which tasks are deferred, and for how long?")
    _show_tasks(view, split, wanted, found)
    st.subheader("Who defers tasks?")
    people = cached.ask(outcomes.deferrals, worklist, wanted, "person")
    _show_people(aging_view.split(worklist, "person"), people)


def _show_tasks(view: url_view.View, split: Split, wanted: Filters, found: pd.DataFrame) -> None:
    per_deferral = found["days"] / found["deferrals"].where(found["deferrals"] > 0)
    rows = found.assign(
        days=found["days"].round(1),
        named=[split.name_of(value) for value in found["split"]],
        per_task=(found["deferrals"] / found["tasks"]).astype(float),
        per_deferral=per_deferral.astype(float),
    )

    def links(row: pd.Series) -> number_table.Links:
        every = split.narrow(replace(wanted, status="all"), row["split"])
        if every is not None:
            yield "All", int(row["tasks"]), every
            for name in ("deferred", "deferred_again"):
                yield HAPPENINGS[name], int(row[name]), replace(every, happened=(name,))

    columns = {
        "named": number_table.text(split.heading),
        "tasks": number_table.number("Tasks", "Open and closed"),
        "deferred": number_table.number("Deferred", "Tasks that were deferred at least once"),
        "deferred_again": number_table.number("More than once", "Tasks that were deferred again"),
        "deferrals": number_table.number("Deferrals", "How often somebody deferred one"),
        "per_task": number_table.number(
            "Per task", "Deferrals by all tasks, also those never deferred", "%.2f"
        ),
        "days": number_table.number("Days deferred", "All together, so far", "localized"),
        "per_deferral": number_table.number("Days each", "Days by deferral, so far", "%.1f"),
    }
    alt = f"Deferrals by {split.label}"
    number_table.show(view, rows, columns, alt, links, name="deferrals")
    st.markdown(caption(ABOUT_TASKS))


def _show_people(split: Split, people: pd.DataFrame) -> None:
    shown = people.assign(
        named=[split.name_of(value) for value in people["split"]], days=people["days"].round(1)
    )
    columns = {
        "named": number_table.text("Who deferred"),
        "deferrals": number_table.number(
            "Deferrals", "How often this person deferred a task, their own or another's"
        ),
        "deferred_again": number_table.number(
            "Repeats", "How many tasks this same person deferred more than once"
        ),
        "days": number_table.number("Days deferred", "All together, so far", "localized"),
    }
    st.dataframe(
        shown[list(columns)],
        hide_index=True,
        row_height=number_table.ROW_HEIGHT,
        height=min(number_table.ROW_HEIGHT * (len(shown) + 1) + 3, number_table.MOST_PIXELS),
        alt=f"Deferrals by the {len(shown)} people who deferred tasks",
        column_config=dict(columns),
    )
    st.markdown(caption(ABOUT_PEOPLE))
