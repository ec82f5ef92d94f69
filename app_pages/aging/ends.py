"""How tasks end: by the system, by people or otherwise, and how many were reopened or returned."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.aging import view as aging_view
from app_pages.aging.view import Split
from app_pages.components import chart, number_table
from app_pages.session import cached
from app_pages.session.markdown import caption
from app_pages.url import view as url_view
from pipelines.analytics import charts, outcomes
from pipelines.vocabulary import CLOSE_GROUPS, GROUPED_CLOSE_KINDS, HAPPENINGS, RETURN_DAYS
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

MOST_BARS = 20
HEADINGS = {**CLOSE_GROUPS, "by_system": "System", "completed": "People", "source_gone": "Gone"}
EXPLANATION = (
    "Overridden: a person closed by hand what clears by itself when the work is done. "
    "Withdrawn, discharged and record gone are not work done: nothing asked for the task any more. "
    "Returned was not solved the first time; "
    f"tasks closed in the last {RETURN_DAYS} days may still return, and a type that asks anew "
    "each period returns by design. Undoing one’s own click reopens a task, too. Cleared by the "
    "system includes tasks that turned into the next one (faxing into signature)."
)


def show(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    """Shares by the split, every number, and what was reopened or returned."""
    split = aging_view.choose_split(view, worklist)
    found = cached.ask(outcomes.ends, worklist, wanted, split.by)
    if found.empty:
        st.info("No task has left the list yet with these filters.", icon=":material/inbox:")
        return
    groups = {
        name: found[list(kinds)].sum(axis="columns") for name, kinds in GROUPED_CLOSE_KINDS.items()
    }
    found = found.assign(
        **groups,
        named=[split.name_of(value) for value in found["split"]],
    )
    if split.by != "all":
        sums = found.select_dtypes("number").sum().to_frame().T
        found = pd.concat([sums.assign(split="all", named="All tasks"), found], ignore_index=True)
    st.subheader("Who or what ends the tasks?")
    _show_shares(found)
    st.subheader("How many end how, and how many were not over then?")
    _show_table(view, split, wanted, found)


def _show_shares(found: pd.DataFrame) -> None:
    whole = found.iloc[0]
    shares = ", ".join(
        f"{aging_view.share(int(whole[name]), int(whole['closed']))} {label.lower()}"
        for name, label in CLOSE_GROUPS.items()
    )
    drawn = found[found["closed"] > 0].head(MOST_BARS)
    figure = charts.bars_across(
        drawn, "named", CLOSE_GROUPS, "Share of the closed tasks", is_share=True
    )
    alt = f"Of {int(whole['closed']):,} closed tasks: {shares}."
    chart.show(figure, alt, "aging.ends", height=max(220, 28 * len(drawn) + 110))


def _show_table(view: url_view.View, split: Split, wanted: Filters, found: pd.DataFrame) -> None:
    left = found["closed"] + found["open_again"]
    rows = found.assign(
        reopened_share=_shares(found["reopened"], left),
        returned_share=_shares(found["returned"], found["closed"]),
    )

    def links(row: pd.Series) -> number_table.Links:
        closed = split.narrow(replace(wanted, status="closed"), row["split"])
        if closed is None:
            return
        yield "Closed", int(row["closed"]), closed
        for name, kinds in GROUPED_CLOSE_KINDS.items():
            yield CLOSE_GROUPS[name], int(row[name]), replace(closed, close_kinds=kinds)
        reopened = replace(closed, status="all", happened=("reopened",))
        yield HAPPENINGS["reopened"], int(row["reopened"]), reopened
        returned = replace(closed, happened=("returned",))
        yield HAPPENINGS["returned"], int(row["returned"]), returned

    alt = f"How tasks end by {split.label}"
    number_table.show(view, rows, _columns(split), alt, links, name="ends")
    st.markdown(caption(EXPLANATION))


def _columns(split: Split) -> number_table.Columns:
    number = number_table.number
    reopened = "Put back on the list by a person, open again or not"
    returned = f"A new task of the same subject within {RETURN_DAYS} days"
    return {
        "named": number_table.text(split.heading, 180),
        "closed": number("Closed", width=66),
        **{
            name: number(heading, CLOSE_GROUPS[name], width=40 + 5 * len(heading))
            for name, heading in HEADINGS.items()
        },
        "reopened": number("Reopened", reopened, width=76),
        "reopened_share": number("%", "Of the tasks that ever left the list", "percent", 54),
        "returned": number("Returned", returned, width=70),
        "returned_share": number("%", "Of the closed tasks", "percent", 54),
    }


def _shares(part: pd.Series, whole: pd.Series) -> pd.Series:
    return (part / whole.where(whole > 0)).astype(float).round(2)
