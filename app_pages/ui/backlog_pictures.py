"""The charts of the Backlog page, each with its numbers in a table; every mark and every number leads to its tasks."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.ui import asking, drawing, number_links, number_table
from app_pages.ui.backlog_numbers import CLEARED, COMPLETED, OTHERWISE, came_in, went_out, within
from app_pages.ui.backlog_view import Asked, Moves
from pipelines import charts
from pipelines.measures import Period
from pipelines.worklist import Filters, Worklist

ENDED = {"cleared": CLEARED, "completed": COMPLETED, "ended_otherwise": OTHERWISE}
WENT = {"cleared": "Cleared by the system", "completed": "Completed by people", "ended_otherwise": "Discharged or record gone"}


def show_backlog(worklist: Worklist, asked: Asked, moves: Moves) -> None:
    """What was on the list in the evening of each step's last day, deferred tasks included."""
    rows = _titled(moves.steps)
    first, last = moves.whole.iloc[0], moves.whole.iloc[-1]
    largest = moves.steps[moves.steps["last"] == last["last"]].nlargest(1, "open_at_end").iloc[0]
    alt = (
        f"{int(first['open_at_end']):,} open in the evening of {first['last']:%B %-d}, "
        f"{int(last['open_at_end']):,} in that of {last['last']:%B %-d}; "
        f"{asked.called(largest['split'])} has the most, {int(largest['open_at_end']):,}. Deferred tasks count."
    )
    figure = charts.stacked(rows, "title", "open_at_end", "split", asked.names, "Open in the evening")
    days = dict(zip(rows["title"], rows["last"], strict=True))

    def of_mark(title: str, value: str | None) -> Filters:
        return replace(asked.filters if value is None else within(asked, value), status="all", open_on=days[title])

    _draw(figure, alt, "backlog.open", asked, of_mark, worklist)
    wide = rows.pivot(index=["first", "last"], columns="split", values="open_at_end").reset_index().iloc[::-1]
    values = moves.steps.groupby("split")["open_at_end"].last().nlargest(charts.MOST_SERIES).index.tolist()
    total = wide[[name for name in wide.columns if name not in ("first", "last")]].sum(axis=1)
    wide = wide.assign(named=[_title(last, last) for last in wide["last"]], all_of_them=total)

    def links(row: pd.Series) -> number_table.Links:
        there = replace(asked.filters, status="all", open_on=row["last"])
        yield "All", int(row["all_of_them"]), there
        for value in values:
            yield asked.called(value), int(row[value]), replace(within(asked, value), status="all", open_on=row["last"])

    _table(asked, wide, {"named": "Evening of", "all_of_them": "All", **{value: asked.called(value) for value in values}}, links, "evenings")


def show_flow(worklist: Worklist, asked: Asked, moves: Moves) -> None:
    """What came to the list in each step, beside what left it and how."""
    rows = _titled(moves.whole)
    came, went = int(rows["came_in"].sum()), int(rows["went_out"].sum())
    share = (
        f"{rows['cleared'].sum() / went:.0%} of it cleared by the system, {rows['completed'].sum() / went:.0%} completed by people" if went else ""
    )
    alt = f"{came:,} came in and {went:,} went out" + (f": {share}." if share else ".")
    figure = charts.in_and_out(rows, "title", ("came_in", "Came in"), WENT, "Tasks")
    steps = {title: Period(first, last) for title, first, last in zip(rows["title"], rows["first"], rows["last"], strict=True)}

    def of_mark(title: str, column: str) -> Filters:
        return _moved(asked.filters, column, steps[title])

    _draw(figure, alt, "backlog.flow", asked, of_mark, worklist)
    columns = {"came_in": "Came in", "went_out": "Went out", **WENT}
    rows = rows.assign(named=rows["title"], net=rows["came_in"] - rows["went_out"]).iloc[::-1]

    def links(row: pd.Series) -> number_table.Links:
        for column, label in columns.items():
            yield label, int(row[column]), _moved(asked.filters, column, Period(row["first"], row["last"]))

    _table(asked, rows, {"named": "When", **columns, "net": "Net"}, links, "moves")


def show_cumulative(worklist: Worklist, asked: Asked, moves: Moves) -> None:
    """All that came in until each step, the backlog before the period included, and all that went out: the gap is what is open."""
    rows = _titled(moves.whole)
    before = int(moves.whole_before["open_at_end"])
    rows = rows.assign(arrived=before + rows["came_in"].cumsum(), left=rows["went_out"].cumsum())
    gap = int(rows["arrived"].iloc[-1] - rows["left"].iloc[-1])
    alt = f"The gap between the lines is what is open: {before:,} before the period, {gap:,} at its end."
    figure = charts.lines(rows, "title", {"arrived": "Came in, with what was open before", "left": "Went out"}, "", "Tasks since the period began")
    drawing.show(figure.update_xaxes(type="category"), alt, "backlog.cumulative", height=280)


def _moved(filters: Filters, column: str, step: Period) -> Filters:
    if column == "came_in":
        return came_in(filters, step)
    return replace(went_out(filters, step), close_kinds=ENDED.get(column, ()))


def _titled(rows: pd.DataFrame) -> pd.DataFrame:
    titles = {first: _title(first, last) for first, last in rows[["first", "last"]].drop_duplicates().itertuples(index=False)}
    return rows.assign(title=rows["first"].map(titles))


def _title(first: dt.date, last: dt.date) -> str:
    return f"{first:%b %-d}" if first == last else f"{first:%b %-d} – {last:%b %-d}"


def _draw(figure: object, alt: str, key: str, asked: Asked, of_mark: Callable[..., Filters], worklist: Worklist) -> None:
    # What is clicked belongs to this view: another one draws another chart.
    st.session_state[key] = f"{key}." + hashlib.sha1(repr(asked.view.query()).encode(), usedforsecurity=False).hexdigest()[:16]
    chosen = drawing.show(figure, alt, st.session_state[key], on_select="rerun")
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        for point in chosen["selection"]["points"][:1]:
            title, value, *_ = point["customdata"]
            wanted = of_mark(title, value)
            count = asking.summary(worklist, wanted)["tasks"]
            named = {"came_in": "Came in", **WENT}.get(value) or ("All" if value is None else asked.called(value))
            number_links.link(asked.view, f"List {'1 task' if count == 1 else f'{count:,} tasks'}: {named}, {title}", wanted)
        if not chosen["selection"]["points"]:
            st.text("Click a bar for its tasks")


def _table(asked: Asked, rows: pd.DataFrame, titles: dict[str, str], links: Callable[[pd.Series], number_table.Links], name: str) -> None:
    with st.expander("The numbers", icon=":material/table:"):
        columns = {column: number_table.text(title, 130) if column == "named" else number_table.number(title) for column, title in titles.items()}
        number_table.show(asked.view, rows.reset_index(drop=True), columns, f"{len(rows)} rows: {', '.join(titles.values())}", links, name=name)
