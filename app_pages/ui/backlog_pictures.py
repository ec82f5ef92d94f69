"""The charts of the Backlog page, each with its numbers in a table; every mark and every number leads to its tasks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.ui import drawing, number_links
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

    _draw(figure, alt, "backlog.open", asked, of_mark)
    wide = rows.pivot(index=["first", "last"], columns="split", values="open_at_end").reset_index().iloc[::-1]
    values = moves.steps.groupby("split")["open_at_end"].last().nlargest(charts.MOST_SERIES).index.tolist()
    total = wide[[name for name in wide.columns if name not in ("first", "last")]].sum(axis=1)
    _table(
        wide.assign(all_of_them=total),
        "backlog.open.table",
        "Open in the evening of each step's last day",
        {
            "all_of_them": lambda row: replace(asked.filters, status="all", open_on=row["last"]),
            **{value: lambda row, value=value: replace(within(asked, value), status="all", open_on=row["last"]) for value in values},
        },
        asked,
        {"last": "Evening of", "all_of_them": "All", **{value: asked.called(value) for value in values}},
    )


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

    def of_mark(title: str, column: str, *_: object) -> Filters:
        return _moved(asked.filters, column, steps[title])

    _draw(figure, alt, "backlog.flow", asked, of_mark)
    columns = {"came_in": "Came in", "went_out": "Went out", **WENT}
    _table(
        rows.assign(net=rows["came_in"] - rows["went_out"]).iloc[::-1],
        "backlog.flow.table",
        "What came in and went out, by step",
        {column: lambda row, column=column: _moved(asked.filters, column, Period(row["first"], row["last"])) for column in columns},
        asked,
        {"first": "From", "last": "To", **columns, "net": "Net"},
    )


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


def _draw(figure: object, alt: str, key: str, asked: Asked, of_mark: Callable[..., Filters]) -> None:
    chosen = drawing.show(figure, alt, key, on_select="rerun")
    for point in chosen["selection"]["points"][:1]:
        number_links.go(of_mark(*point["customdata"]), asked.at)


def _table(rows: pd.DataFrame, key: str, alt: str, links: dict[str, Callable[[pd.Series], Filters]], asked: Asked, titles: dict[str, str]) -> None:
    config = st.column_config
    with st.expander("The numbers", icon=":material/table:"):
        number_links.table(
            rows,
            key,
            alt,
            links,
            asked.at,
            {
                name: config.DateColumn(title, format="MMM D") if name in ("first", "last") else config.NumberColumn(title, format="localized")
                for name, title in titles.items()
            },
        )
