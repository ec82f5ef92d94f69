"""The charts of the Backlog page, each with its numbers; every mark and number links to tasks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from app_pages.backlog.numbers import came_in, on_evenings, went_out, within
from app_pages.backlog.view import Asked, Moves
from app_pages.components import chart, number_links, number_table, widget_key
from app_pages.session import cached
from pipelines.analytics import charts
from pipelines.analytics.period import Period
from pipelines.vocabulary import CLOSE_GROUPS, GROUPED_CLOSE_KINDS
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOVED = {"came_in": "Came in", "went_out": "Went out", **CLOSE_GROUPS}
SINCE = {"arrived": "Open before, and came in since", "left": "Went out since"}


@dataclass(frozen=True)
class Drawing:
    """A figure with its description, its key, and the tasks behind a mark (step, series)."""

    figure: Figure
    alt: str
    key: str
    of_mark: Callable[[str, str | None], Filters]
    mark: str = "a bar"


def show_backlog(worklist: Worklist, asked: Asked, moves: Moves) -> None:
    """The tasks on the list on the evening of each step's last day, deferred tasks included."""
    steps = moves.flow.steps
    rows = _titled(steps)
    figure = charts.stacked(
        rows, "title", "open_at_end", "split", asked.names, "Open in the evening"
    )
    days = dict(zip(rows["title"], rows["last"], strict=True))

    def of_mark(title: str, value: str | None) -> Filters:
        return on_evenings(asked.filters if value is None else within(asked, value), days[title])

    _draw(worklist, asked, Drawing(figure, _backlog_alt(asked, moves), "backlog.open", of_mark))
    wide = steps.pivot(index=["first", "last"], columns="split", values="open_at_end")
    wide = wide.reset_index().iloc[::-1]
    values: list[str] = []
    if asked.split != "all":
        at_end = steps.groupby("split")["open_at_end"].last()
        values = at_end.nlargest(charts.MOST_SERIES).index.tolist()
    total = wide[[name for name in wide.columns if name not in ("first", "last")]].sum(axis=1)
    wide = wide.assign(named=[_title(last, last) for last in wide["last"]], all_of_them=total)

    def links(row: pd.Series) -> number_table.Links:
        yield "All", int(row["all_of_them"]), on_evenings(asked.filters, row["last"])
        for value in values:
            of_value = on_evenings(within(asked, value), row["last"])
            yield asked.name_of(value), int(row[value]), of_value

    titles = {"named": "Evening of", "all_of_them": "All"}
    titles |= {value: asked.name_of(value) for value in values}
    _table(asked, wide, titles, links, "evenings")


def _backlog_alt(asked: Asked, moves: Moves) -> str:
    steps = moves.flow.steps
    first, last = moves.whole.iloc[0], moves.whole.iloc[-1]
    most = ""
    if asked.split != "all":
        largest = steps[steps["last"] == last["last"]].nlargest(1, "open_at_end").iloc[0]
        name, count = asked.name_of(largest["split"]), int(largest["open_at_end"])
        most = f"; {name} has the most, {count:,}"
    return (
        f"{int(first['open_at_end']):,} open in the evening of {first['last']:%B %-d}, "
        f"{int(last['open_at_end']):,} in that of {last['last']:%B %-d}{most}. "
        "Deferred tasks count."
    )


def show_flow(worklist: Worklist, asked: Asked, moves: Moves) -> None:
    """What came to the list in each step, beside what left it and how."""
    rows = _titled(moves.whole)
    came, went = int(rows["came_in"].sum()), int(rows["went_out"].sum())
    shares = [
        f"{rows[name].sum() / went:.0%} {label[0].lower()}{label[1:]}"
        for name, label in CLOSE_GROUPS.items()
        if rows[name].sum()
    ]
    alt = f"{came:,} came in and {went:,} went out" + (f": {', '.join(shares)}." if shares else ".")
    figure = charts.in_and_out(rows, "title", ("came_in", MOVED["came_in"]), CLOSE_GROUPS, "Tasks")
    steps = {
        title: Period(first, last)
        for title, first, last in zip(rows["title"], rows["first"], rows["last"], strict=True)
    }

    def of_mark(title: str, column: str | None) -> Filters:
        return _moved(asked.filters, column or "went_out", steps[title])

    _draw(worklist, asked, Drawing(figure, alt, "backlog.flow", of_mark))
    rows = rows.assign(named=rows["title"], net=rows["came_in"] - rows["went_out"]).iloc[::-1]

    def links(row: pd.Series) -> number_table.Links:
        step = Period(row["first"], row["last"])
        for column, label in MOVED.items():
            yield label, int(row[column]), _moved(asked.filters, column, step)

    _table(asked, rows, {"named": "When", **MOVED, "net": "Net"}, links, "moves")


def show_cumulative(worklist: Worklist, asked: Asked, moves: Moves) -> None:
    """All that came in and went out until each step; the gap between the lines is what is open.

    What was open before the period counts as come in.
    """
    rows = _titled(moves.whole)
    before = int(moves.whole_before["open_at_end"])
    rows = rows.assign(arrived=before + rows["came_in"].cumsum(), left=rows["went_out"].cumsum())
    gap = int(rows["arrived"].iloc[-1] - rows["left"].iloc[-1])
    alt = (
        f"The gap between the lines is what is open: {before:,} before the period, "
        f"{gap:,} at its end."
    )
    figure = charts.lines_to_click(rows, "title", SINCE, "Tasks since the period began")
    ends = dict(zip(rows["title"], rows["last"], strict=True))

    def until(column: str | None, last: dt.date) -> Filters:
        if column == "left":
            return went_out(asked.filters, Period(asked.period.first, last))
        since = asked.evening_before if column == "arrived" else None
        return on_evenings(asked.filters, last, since)

    def of_mark(title: str, column: str | None) -> Filters:
        return until(column, ends[title])

    _draw(worklist, asked, Drawing(figure, alt, "backlog.cumulative", of_mark, "a point"))
    columns = SINCE | {"open_at_end": "Open"}
    rows = rows.assign(named=[_title(last, last) for last in rows["last"]]).iloc[::-1]

    def links(row: pd.Series) -> number_table.Links:
        for column, label in columns.items():
            yield label, int(row[column]), until(column, row["last"])

    _table(asked, rows, {"named": "Until the evening of", **columns}, links, "sums")


def _moved(filters: Filters, column: str, step: Period) -> Filters:
    if column == "came_in":
        return came_in(filters, step)
    return went_out(filters, step, GROUPED_CLOSE_KINDS.get(column, ()))


def _titled(rows: pd.DataFrame) -> pd.DataFrame:
    titles = {
        first: _title(first, last)
        for first, last in rows[["first", "last"]].drop_duplicates().itertuples(index=False)
    }
    return rows.assign(title=rows["first"].map(titles))


def _title(first: dt.date, last: dt.date) -> str:
    return f"{first:%b %-d}" if first == last else f"{first:%b %-d} – {last:%b %-d}"


def _draw(worklist: Worklist, asked: Asked, drawing: Drawing) -> None:
    # A selection belongs to one view: another view gets another chart.
    key = widget_key.of_content(drawing.key, asked.view.query())
    st.session_state[drawing.key] = key
    clicked = chart.show_clickable(drawing.figure, drawing.alt, key)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        if clicked is None:
            st.text(f"Click {drawing.mark} for its tasks")
            return
        title = str(clicked[0])
        value = None if clicked[1] is None else str(clicked[1])
        wanted = drawing.of_mark(title, value)
        count = cached.ask(Worklist.summary, worklist, wanted)["tasks"]
        name = "All" if value is None else (MOVED | SINCE).get(value) or asked.name_of(value)
        tasks = "1 task" if count == 1 else f"{count:,} tasks"
        number_links.link(asked.view, f"List {tasks}: {name}, {title}", wanted)


def _table(
    asked: Asked,
    rows: pd.DataFrame,
    titles: dict[str, str],
    links: Callable[[pd.Series], number_table.Links],
    name: str,
) -> None:
    columns = {
        column: number_table.text(title, 130) if column == "named" else number_table.number(title)
        for column, title in titles.items()
    }
    alt = f"{len(rows)} rows: {', '.join(titles.values())}"
    with st.expander("The numbers", icon=":material/table:"):
        number_table.show(asked.view, rows.reset_index(drop=True), columns, alt, links, name=name)
