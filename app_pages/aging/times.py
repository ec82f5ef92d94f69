"""Time to clear: naive medians beside Kaplan–Meier's, the survival curves, Little's law."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.aging import view as aging_view
from app_pages.aging.view import Split
from app_pages.components import chart, number_links, number_table
from app_pages.session import cached
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import view as url_view
from pipelines.analytics import charts, flow
from pipelines.analytics import survival as analytics_survival
from pipelines.analytics.survival import Survival
from pipelines.vocabulary import CLOSE_KINDS, WORK_DONE
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

MOST_ROWS = 25  # values of a split that are computed, those with most tasks
MOST_DAYS = 180  # of the chart; the table has the rest
OTHERWISE = tuple(name for name in CLOSE_KINDS if name not in WORK_DONE)
ABOUT_TIMES = (
    "Cleared looks at finished tasks alone and flatters; Median, all counts those that are open "
    "or ended otherwise for as long as they were watched. Late entries "
    "were old when first seen and make “since it fell due” look longer: choose “since it was "
    "first seen” where they are many. A reopened task counts once, until it last left."
)
ABOUT_LITTLE = (
    "Little’s law: the days a task stays ≈ open tasks ÷ tasks that leave a day. Expected well "
    "above stayed means that a backlog nobody works on stands behind the tasks that move; the "
    "law holds only where the backlog stays about the same."
)


def show(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    """The table, the curves and the check."""
    with st.container(horizontal=True):
        split = aging_view.choose_split(view, worklist)
        aging_view.show_choice(view, "clock", "Count the days", aging_view.CLOCKS)
    survivals = analytics_survival.survivals
    found = cached.ask(survivals, worklist, wanted, split.by, view["clock"], MOST_ROWS)
    if not found:
        st.info("No task was ever on this list with these filters.", icon=":material/inbox:")
        return
    st.subheader("How long does a task take to clear?")
    together = (
        cached.ask(survivals, worklist, wanted, "all", view["clock"]) if split.by != "all" else []
    )
    _show_table(view, split, wanted, [*together, *found])
    st.subheader("How many are still open after so many days?")
    _show_curves(view, split, found)
    st.subheader("Do the numbers fit together?")
    _show_check(worklist, view, wanted)


def _show_table(view: url_view.View, split: Split, wanted: Filters, found: list[Survival]) -> None:
    numbers = [name for name in Survival.__dataclass_fields__ if name != "curve"]
    rows = pd.DataFrame(
        [
            {name: getattr(survival, name) for name in numbers}
            | {
                "named": split.name_of(survival.split),
                "limits": _limits(survival),
                "median": aging_view.days(survival.median),
            }
            for survival in found
        ]
    )

    def links(row: pd.Series) -> number_table.Links:
        of_value = split.narrow(wanted, row["split"])
        if of_value is None:
            return
        closed = replace(of_value, status="closed")
        yield "Cleared", int(row["cleared"]), replace(closed, close_kinds=WORK_DONE)
        yield "Ended otherwise", int(row["ended_otherwise"]), replace(closed, close_kinds=OTHERWISE)
        yield "Still open", int(row["still_open"]), replace(of_value, status="open")

    alt = f"Time to clear by {split.label}, in days"
    number_table.show(view, rows, _columns(split), alt, links, name="times")
    is_cut = sum(survival.split != "all" for survival in found) == MOST_ROWS
    more = f" No more than the {MOST_ROWS} with most tasks are shown." if is_cut else ""
    st.markdown(caption(ABOUT_TIMES + more))


def _columns(split: Split) -> number_table.Columns:
    number, text = number_table.number, number_table.text
    too_short = "Days, of cleared tasks alone: too short, since the slow ones are still open"
    p90 = "Nine of ten cleared tasks took less; too short as well"
    median = "Kaplan and Meier's: open tasks count for as long as they have waited"
    otherwise = (
        "Withdrawn, discharged, the record is gone, or it became another task: "
        "the work was not done, or not yet"
    )
    late = f"First seen more than {analytics_survival.LATE_DAYS} day after it fell due"
    return {
        "named": text(split.heading),
        "naive_median": number("Cleared, median", too_short, "%.1f"),
        "naive_p90": number("Cleared, 90th pct.", p90, "%.1f"),
        "median": st.column_config.TextColumn("Median, all", help=median),
        "limits": st.column_config.TextColumn("95% limits", help="The median lies between these"),
        "cleared": number("Cleared", "By the system or completed by a person"),
        "still_open": number("Open"),
        "ended_otherwise": number("Ended otherwise", otherwise),
        "late_entries": number("Late entries", late),
        "inferred": number("Day inferred", aging_view.ABOUT_INFERRED),
    }


def _limits(found: Survival) -> str:
    lower, upper = (
        f"{limit:,g}" if limit is not None else None
        for limit in (found.median_lower, found.median_upper)
    )
    return "–" if lower is None else f"{lower} or more" if upper is None else f"{lower} to {upper}"


def _show_curves(view: url_view.View, split: Split, found: list[Survival]) -> None:
    of_value = {survival.split: survival for survival in found}
    chosen = view["curve"] if view["curve"] in of_value else found[0].split
    if view["curve"] not in (None, chosen):
        problem = f"Curve: there is no “{view['curve']}” among these"
        st.warning(escape_markdown(problem), icon=":material/link_off:")
    if len(found) > 1:
        key = view.key("curve")
        st.session_state[key] = chosen
        st.selectbox(
            "Limits of",
            list(of_value),
            key=key,
            format_func=split.name_of,
            on_change=view.changed("curve"),
            width=300,
        )
    others = [survival for survival in found if survival.split != chosen]
    shown = [of_value[chosen], *others][: charts.MOST_SERIES]
    curves = {split.name_of(survival.split): survival.curve for survival in shown}
    last = min(MOST_DAYS, max(14.0, *(_falls_to(survival.curve, 0.1) for survival in shown)))
    clock = aging_view.CLOCKS[view["clock"]].lower()
    figure = charts.survival(curves, split.name_of(chosen), f"Days {clock}", last)
    halves = "; ".join(f"{split.name_of(survival.split)} {_half(survival)}" for survival in shown)
    is_cut = len(found) > len(shown)
    left = f" The {len(shown)} with most tasks of {len(found)} are drawn." if is_cut else ""
    chart.show(figure, f"Half are cleared after: {halves}.{left}", "aging.curves", height=420)


def _half(found: Survival) -> str:
    return "not yet" if found.median is None else aging_view.days(found.median)


def _falls_to(curve: pd.DataFrame, share: float) -> float:
    below = curve.loc[curve["share"] <= share, "days"]
    return float(below.iloc[0] if len(below) else curve["days"].max())


def _show_check(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    four_weeks = aging_view.four_weeks(worklist)
    found = cached.ask(flow.flow, worklist, wanted, four_weeks).littles
    first, last = found.period.first, found.period.last
    days = f"{first:%b %-d} to {last:%b %-d}"
    left_a_day = found.went_out / ((last - first).days + 1)
    with st.grid(4, min_column_width=150):
        for label, number, tip in (
            ("Open on average", f"{found.average_open:,.1f}", f"Of the evenings from {days}"),
            ("Left a day", f"{left_a_day:,.1f}", "However they ended"),
            (
                "Open ÷ left a day",
                aging_view.days(found.expected),
                "What Little's law expects a task to stay",
            ),
            (
                "Stayed on average",
                aging_view.days(found.stayed),
                "Those that left in these days, since first seen",
            ),
        ):
            st.metric(label, number, border=True, help=tip)
    with st.container(horizontal=True):
        if found.went_out:
            left = replace(wanted, status="all", out_from=first, out_to=last)
            number_links.link(view, f"Left from {days}", left)
    st.markdown(caption(ABOUT_LITTLE))
