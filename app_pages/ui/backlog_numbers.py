"""The numbers of the Backlog page: how it stands and moved, and each value of the split beside the others and its own past."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.ui import facets, number_links, number_table
from app_pages.ui.backlog_view import Asked, Moves
from app_pages.ui.plain import plain, quiet
from pipelines.measures import Period
from pipelines.worklist import Filters, Worklist

CLEARED, COMPLETED, OTHERWISE = ("cleared", "converted"), ("completed", "override"), ("discharged", "source_gone")


def show(worklist: Worklist, asked: Asked, moves: Moves, standing: pd.DataFrame) -> None:
    """How much is open, overdue and deferred now; what came and went in the period, and in the one before."""
    came, went = (int(moves.whole[name].sum()) for name in ("came_in", "went_out"))
    before = moves.whole_before
    net_before = int(before["came_in"] - before["went_out"])
    opened, closed = came_in(asked.filters, asked.period), went_out(asked.filters, asked.period)
    oldest = min((day for day in standing["oldest"] if not pd.isna(day)), default=None)
    with st.grid(4, min_column_width=170):
        number_links.card(asked.view, "Open", f"{standing['tasks'].sum():,}", asked.filters, f"{int(before['open_at_end']):,} before the period")
        number_links.card(asked.view, "Overdue", f"{standing['overdue'].sum():,}", replace(asked.filters, status="overdue"), "of the pending ones")
        number_links.card(asked.view, "Deferred", f"{standing['deferred'].sum():,}", replace(asked.filters, status="deferred"), "hidden, and in Open")
        number_links.card(
            asked.view, "Oldest", "none" if oldest is None else f"{oldest:%b %-d, %Y}", asked.filters, "since it fell due, not since it was noticed"
        )
        number_links.card(asked.view, "Came in", f"{came:,}", opened, _against(came, int(before["came_in"])))
        number_links.card(asked.view, "Went out", f"{went:,}", closed, _against(went, int(before["went_out"])))
        number_links.card(asked.view, "Net", f"{came - went:+,}", None, _against(came - went, net_before, signed=True))
        number_links.card(asked.view, "Days to work it off", *_littles(moves, asked.period))
    st.markdown(quiet(plain(_said(asked, moves))))


def _littles(moves: Moves, period: Period) -> tuple[str, None, str]:
    """Little's law: the average time on the list is the average open ÷ what leaves a day."""
    days = (period.last - period.first).days + 1
    a_day = moves.whole["went_out"].sum() / days
    average = moves.whole["open_at_end"].mean() if len(moves.whole) else 0
    return "no end" if not a_day else f"{average / a_day:,.0f}", None, f"{average:,.0f} open on average ÷ {a_day:,.1f} going out a day"


def _against(now: int, before: int, *, signed: bool = False) -> str:
    written = f"{before:+,}" if signed else f"{before:,}"
    change = "" if signed or not before else f", {(now - before) / before:+.0%}"
    return f"{written} in the period before{change}"


def _said(asked: Asked, moves: Moves) -> str:
    first, last = asked.period.first, asked.period.last
    saturday = last + dt.timedelta(days=(5 - last.weekday()) % 7)
    began = moves.whole.loc[moves.whole["came_in"] > 0, "first"].min()
    is_new = not moves.whole_before["came_in"] and not moves.whole_before["open_at_end"] and not pd.isna(began) and began > first
    text = f"{first:%B %-d} to {last:%B %-d, %Y}" + ("" if last == saturday else f"; the last week goes to {saturday:%B %-d} and is not over")
    twice = [f"{often:,} {what} more than once" for often, what in zip(moves.again, ("came in", "went out"), strict=True) if often]
    # A task that was reopened leaves twice; its list has it once.
    text += f". The list has nothing from before {began:%B %-d}" if is_new else ""
    return text + (f". Counted each time: {' and '.join(twice)}" if twice else "") + "."


def show_comparison(worklist: Worklist, asked: Asked, moves: Moves, standing: pd.DataFrame) -> None:
    """One row a value: how it stands, and what moved in the period beside the one before it."""
    rows = standing.merge(_moved(moves.steps), on="split", how="outer").merge(_moved(moves.before, "_before"), on="split", how="left")
    numbers = [name for name in rows.columns if name not in ("split", "oldest", "amount")]
    rows = rows.assign(**rows[numbers].fillna(0).astype(int), amount=rows["amount"].fillna(0).astype(float))
    rows = rows[(rows[numbers] != 0).any(axis=1)].sort_values(["tasks", "split"], ascending=[False, True], ignore_index=True)
    rows = rows.assign(named=[asked.called(value) for value in rows["split"]])

    def links(row: pd.Series) -> number_table.Links:
        mine, before = within(asked, row["split"]), asked.period.before()
        yield "Open", row["tasks"], mine
        yield "Overdue", row["overdue"], replace(mine, status="overdue")
        yield "Deferred", row["deferred"], replace(mine, status="deferred")
        yield "Came in", row["came_in"], came_in(mine, asked.period)
        yield "Went out", row["went_out"], went_out(mine, asked.period)
        yield "Came in, before", row["came_in_before"], came_in(mine, before)
        yield "Went out, before", row["went_out_before"], went_out(mine, before)

    columns = {
        "named": number_table.text(asked.split_label),
        "tasks": number_table.number("Open"),
        "overdue": number_table.number("Overdue"),
        "deferred": number_table.number("Deferred"),
        "oldest": st.column_config.DateColumn("Oldest", format="MMM D, YYYY"),
        "amount": number_table.number("Dollars", "Waiting in Uncollected Payments and Refund Request", "dollar"),
        "came_in": number_table.number("Came in"),
        "went_out": number_table.number("Went out"),
        "net": number_table.number("Net", pattern="%+d"),
        "came_in_before": number_table.number("In, before", "In the period of the same length before"),
        "went_out_before": number_table.number("Out, before"),
        "net_before": number_table.number("Net, before", pattern="%+d"),
    }
    alt = f"{len(rows)} rows by {asked.split_label.lower()}: open, overdue, deferred, oldest, dollars, and what came and went"
    number_table.show(asked.view, rows, columns, alt, links, name="comparison")
    if asked.split == "staff":
        st.markdown(quiet("By whose the tasks are now: a draft moves to whoever edits the document last, and takes its past along."))


def _moved(steps: pd.DataFrame, suffix: str = "") -> pd.DataFrame:
    found = steps.groupby("split", as_index=False)[["came_in", "went_out"]].sum()
    return found.assign(net=found["came_in"] - found["went_out"]).rename(columns={name: f"{name}{suffix}" for name in ("came_in", "went_out", "net")})


def within(asked: Asked, value: str) -> Filters:
    """The filters of the view, and of one value of its split."""
    return replace(asked.filters, **{facets.FIELDS[asked.split]: (value,)})


def came_in(filters: Filters, period: Period) -> Filters:
    """The tasks that came to the list in those days."""
    return replace(filters, status="all", in_from=period.first, in_to=period.last)


def went_out(filters: Filters, period: Period) -> Filters:
    """The tasks that left it in those days."""
    return replace(filters, status="all", out_from=period.first, out_to=period.last)
