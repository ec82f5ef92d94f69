"""How tasks end: by the system, by people or otherwise, and how many were reopened or came back."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.aging import view as aging_view
from app_pages.components import chart, number_table
from app_pages.session.markdown import caption
from app_pages.url import filters
from app_pages.url import view as url_view
from pipelines.analytics import charts, outcomes
from pipelines.vocabulary import CLOSE_GROUPS, GROUPED_CLOSE_KINDS, HAPPENINGS, RETURN_DAYS
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

MOST_BARS = 20


def show(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    """Shares by the split, every number, and what was not over with its end."""
    aging_view.show_split(view)
    split, named = view["split"], aging_view.labels(worklist, view["split"])
    found = aging_view.answer(outcomes.ends, worklist, wanted, split)
    if found.empty:
        st.info("No task has left the list yet with these filters.", icon=":material/inbox:")
        return
    found = found.assign(
        by_system=found["cleared"] + found["converted"],
        named=[named(value) for value in found["split"]],
    )
    if split != "all":
        sums = found.select_dtypes("number").sum().to_frame().T
        found = pd.concat([sums.assign(split="all", named="All tasks"), found], ignore_index=True)
    st.subheader("Who or what ends the tasks?")
    _show_shares(found)
    st.subheader("How many end how, and how many were not over then?")
    _show_table(view, wanted, found)


def _show_shares(found: pd.DataFrame) -> None:
    whole = found.iloc[0]
    said = ", ".join(
        f"{aging_view.share(int(whole[name]), int(whole['closed']))} {label.lower()}"
        for name, label in CLOSE_GROUPS.items()
    )
    drawn = found[found["closed"] > 0].head(MOST_BARS)
    figure = charts.bars_across(
        drawn, "named", CLOSE_GROUPS, "Share of the closed tasks", is_share=True
    )
    chart.show(
        figure,
        f"Of {int(whole['closed']):,} closed tasks: {said}.",
        "aging.ends",
        height=max(220, 28 * len(drawn) + 110),
    )


def _show_table(view: url_view.View, wanted: Filters, found: pd.DataFrame) -> None:
    split = view["split"]
    left = found["closed"] + found["open_again"]
    rows = found.assign(
        reopened_share=(found["reopened"] / left.where(left > 0)).astype(float).round(2),
        returned_share=(found["returned"] / found["closed"].where(found["closed"] > 0))
        .astype(float)
        .round(2),
    )

    def links(row: pd.Series) -> number_table.Links:
        closed = aging_view.narrowed(wanted, split, row["split"], status="closed")
        if closed is not None:
            yield "Closed", int(row["closed"]), closed
            for name, kinds in GROUPED_CLOSE_KINDS.items():
                yield CLOSE_GROUPS[name], int(row[name]), replace(closed, close_kinds=kinds)
            yield (
                HAPPENINGS["reopened"],
                int(row["reopened"]),
                replace(closed, status="all", happened=("reopened",)),
            )
            yield (
                HAPPENINGS["returned"],
                int(row["returned"]),
                replace(closed, happened=("returned",)),
            )

    columns = {
        "named": number_table.text(filters.FACETS.get(split, "Tasks"), 180),
        "closed": number_table.number("Closed", width=66),
        "by_system": number_table.number("System", CLOSE_GROUPS["by_system"], width=66),
        "completed": number_table.number("People", CLOSE_GROUPS["completed"], width=66),
        "override": number_table.number("Overridden", width=82),
        "discharged": number_table.number("Discharged", width=82),
        "source_gone": number_table.number("Gone", CLOSE_GROUPS["source_gone"], width=56),
        "reopened": number_table.number(
            "Reopened", "Put back on the list by a person, open again or not", width=76
        ),
        "reopened_share": number_table.number(
            "%", "Of the tasks that ever left the list", "percent", width=54
        ),
        "returned": number_table.number(
            "Returned", f"A new task of the same subject within {RETURN_DAYS} days", width=70
        ),
        "returned_share": number_table.number("%", "Of the closed tasks", "percent", width=54),
    }
    number_table.show(
        view,
        rows,
        columns,
        f"How tasks end by {aging_view.SPLITS[split].lower()}",
        links,
        name="ends",
    )
    st.markdown(
        caption(
            "Overridden: a person closed by hand what clears by itself when the work is done. Discharged and record gone are not work done. "
            f"Returned was not solved the first time; tasks closed in the last {RETURN_DAYS} days may still return, and "
            "a type that asks anew each period returns by design. "
            "Undoing one’s own click reopens a task, too. Cleared by the system includes tasks that turned into the next one (faxing into signature)."
        )
    )
