"""How long tasks take to clear: the naive figures beside Kaplan and Meier's, the curves, and Little's law as a check."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.aging import view as aging_view
from app_pages.components import chart, number_links, number_table
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import filters
from app_pages.url import view as url_view
from pipelines.analytics import charts, flow
from pipelines.analytics import survival as analytics_survival
from pipelines.analytics.survival import Survival
from pipelines.vocabulary import CLOSE_KINDS, WORK_DONE
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

MOST_ROWS = 25  # values of a split that are worked out, those with most tasks
MOST_DAYS = 180  # of the picture; the table has the rest


def show(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    """The table, the curves and the check."""
    with st.container(horizontal=True):
        aging_view.show_split(view)
        aging_view.show_choice(view, "clock", "Count the days", aging_view.CLOCKS)
    split, named = view["split"], aging_view.labels(worklist, view["split"])
    found = aging_view.answer(
        analytics_survival.survivals, worklist, wanted, split, view["clock"], MOST_ROWS
    )
    if not found:
        st.info("No task was ever on this list with these filters.", icon=":material/inbox:")
        return
    st.subheader("How long does a task take to clear?")
    together = (
        aging_view.answer(analytics_survival.survivals, worklist, wanted, "all", view["clock"])
        if split != "all"
        else []
    )
    _show_table(view, wanted, [*together, *found], named)
    st.subheader("How many are still open after so many days?")
    _show_curves(view, found, named)
    st.subheader("Do the numbers fit together?")
    _show_check(worklist, view, wanted)


def _show_table(view: url_view.View, wanted: Filters, found: list[Survival], named: object) -> None:
    split = view["split"]
    numbers = [name for name in Survival.__dataclass_fields__ if name != "curve"]
    rows = pd.DataFrame(
        [
            {name: getattr(survival, name) for name in numbers} | {"named": named(survival.split)}
            for survival in found
        ]
    )
    rows["limits"] = [_limits(survival) for survival in found]
    rows["median"] = [aging_view.days(survival.median) for survival in found]

    def links(row: pd.Series) -> number_table.Links:
        ends = {
            "Cleared": ("cleared", WORK_DONE),
            "Ended otherwise": ("ended_otherwise", OTHERWISE),
        }
        for label, (column, kinds) in ends.items():
            yield (
                label,
                int(row[column]),
                aging_view.narrowed(
                    wanted, split, row["split"], status="closed", close_kinds=kinds
                ),
            )
        yield (
            "Still open",
            int(row["still_open"]),
            aging_view.narrowed(wanted, split, row["split"], status="open"),
        )

    columns = {
        "named": number_table.text(filters.FACETS.get(split, "Tasks")),
        "naive_median": number_table.number(
            "Cleared, median",
            "Days, of cleared tasks alone: too short, since the slow ones are still open",
            "%.1f",
        ),
        "naive_p90": number_table.number(
            "Cleared, 90th pct.", "Nine of ten cleared tasks took less; too short as well", "%.1f"
        ),
        "median": st.column_config.TextColumn(
            "Median, all",
            help="Kaplan and Meier's: open tasks count for as long as they have waited",
        ),
        "limits": st.column_config.TextColumn("95% limits", help="Between these the median lies"),
        "cleared": number_table.number("Cleared", "By the system or completed by a person"),
        "still_open": number_table.number("Open"),
        "ended_otherwise": number_table.number(
            "Ended otherwise", "Discharged, or the record is gone: nobody did the work"
        ),
        "late_entries": number_table.number(
            "Late entries",
            f"First seen more than {analytics_survival.LATE_DAYS} day after it fell due",
        ),
    }
    number_table.show(
        view,
        rows,
        columns,
        f"Time to clear by {aging_view.SPLITS[split].lower()}, in days",
        links,
        name="times",
    )
    more = (
        f" No more than the {MOST_ROWS} with most tasks are shown."
        if sum(survival.split != "all" for survival in found) == MOST_ROWS
        else ""
    )
    st.markdown(
        caption(
            "Cleared looks at finished tasks alone and flatters; Median, all counts the open, the discharged and those whose record is gone for as "
            "long as they were watched. Late entries were old when first seen and make “since it fell due” look longer: choose “since it was first "
            f"seen” where they are many. A reopened task counts once, until it last left.{more}"
        )
    )


OTHERWISE = tuple(name for name in CLOSE_KINDS if name not in WORK_DONE)


def _limits(found: Survival) -> str:
    lower, upper = (
        f"{limit:,g}" if limit is not None else None
        for limit in (found.median_lower, found.median_upper)
    )
    return "–" if lower is None else f"{lower} or more" if upper is None else f"{lower} to {upper}"


def _show_curves(view: url_view.View, found: list[Survival], named: object) -> None:
    of_split = {survival.split: survival for survival in found}
    chosen = view["curve"] if view["curve"] in of_split else found[0].split
    if view["curve"] not in (None, chosen):
        st.warning(
            escape_markdown(f"Curve: there is no “{view['curve']}” among these"),
            icon=":material/link_off:",
        )
    if len(found) > 1:
        key = view.key("curve")
        st.session_state[key] = chosen
        st.selectbox(
            "Limits of",
            list(of_split),
            key=key,
            format_func=named,
            on_change=view.changed("curve"),
            width=300,
        )
    shown = [of_split[chosen], *(survival for survival in found if survival.split != chosen)][
        : charts.MOST_SERIES
    ]
    curves = {named(survival.split): survival.curve for survival in shown}
    last = min(MOST_DAYS, max(14.0, *(_falls_to(survival.curve, 0.1) for survival in shown)))
    figure = charts.survival(
        curves, named(chosen), f"Days {aging_view.CLOCKS[view['clock']].lower()}", last
    )
    said = "; ".join(f"{named(survival.split)} {_half(survival)}" for survival in shown)
    left = (
        f" The {len(shown)} with most tasks of {len(found)} are drawn."
        if len(found) > len(shown)
        else ""
    )
    chart.show(figure, f"Half are cleared after: {said}.{left}", "aging.curves", height=420)


def _half(found: Survival) -> str:
    return "not yet" if found.median is None else aging_view.days(found.median)


def _falls_to(curve: pd.DataFrame, share: float) -> float:
    below = curve.loc[curve["share"] <= share, "days"]
    return float(below.iloc[0] if len(below) else curve["days"].max())


def _show_check(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    found = aging_view.answer(flow.flow, worklist, wanted, aging_view.four_weeks(worklist)).littles
    first, last = found.period.first, found.period.last
    with st.grid(4, min_column_width=150):
        st.metric(
            "Open on average",
            f"{found.average_open:,.1f}",
            border=True,
            help=f"Of the evenings from {first:%b %-d} to {last:%b %-d}",
        )
        st.metric(
            "Left a day",
            f"{found.went_out / ((last - first).days + 1):,.1f}",
            border=True,
            help="However they ended",
        )
        st.metric(
            "Open ÷ left a day",
            aging_view.days(found.expected),
            border=True,
            help="What Little's law expects a task to stay",
        )
        st.metric(
            "Stayed on average",
            aging_view.days(found.stayed),
            border=True,
            help="Those that left in these days, since first seen",
        )
    with st.container(horizontal=True):
        if found.went_out:
            number_links.link(
                view,
                f"Left from {first:%b %-d} to {last:%b %-d}",
                replace(wanted, status="all", out_from=first, out_to=last),
            )
    st.markdown(
        caption(
            "Little’s law: the days a task stays ≈ open tasks ÷ tasks that leave a day. Expected well above stayed means that a backlog nobody works "
            "on stands behind the tasks that move; the law holds only where the backlog stays about the same."
        )
    )
