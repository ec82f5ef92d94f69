"""The charts of the Backlog page, each with its numbers in a table; every mark and every number leads to its tasks."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

import pandas as pd
import streamlit as st

from app_pages.backlog.numbers import came_in, on_evenings, went_out, within
from app_pages.backlog.view import Asked, Moves
from app_pages.components import chart, number_links, number_table
from app_pages.session import cached
from pipelines.analytics import charts
from pipelines.analytics.period import Period
from pipelines.vocabulary import CLOSE_GROUPS, GROUPED_CLOSE_KINDS
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

MOVED = {"came_in": "Came in", "went_out": "Went out", **CLOSE_GROUPS}
SINCE = {"arrived": "Open before, and came in since", "left": "Went out since"}


def show_backlog(worklist: Worklist, asked: Asked, moves: Moves) -> None:
    """What was on the list in the evening of each step's last day, deferred tasks included."""
    steps = moves.flow.steps
    rows = _titled(steps)
    first, last = moves.whole.iloc[0], moves.whole.iloc[-1]
    largest = steps[steps["last"] == last["last"]].nlargest(1, "open_at_end").iloc[0]
    most = (
        ""
        if asked.split == "all"
        else f"; {asked.called(largest['split'])} has the most, {int(largest['open_at_end']):,}"
    )
    alt = (
        f"{int(first['open_at_end']):,} open in the evening of {first['last']:%B %-d}, "
        f"{int(last['open_at_end']):,} in that of {last['last']:%B %-d}{most}. Deferred tasks count."
    )
    figure = charts.stacked(
        rows, "title", "open_at_end", "split", asked.names, "Open in the evening"
    )
    days = dict(zip(rows["title"], rows["last"], strict=True))

    def of_mark(title: str, value: str | None) -> Filters:
        return on_evenings(asked.filters if value is None else within(asked, value), days[title])

    _draw(figure, alt, "backlog.open", asked, of_mark, worklist)
    wide = (
        rows.pivot(index=["first", "last"], columns="split", values="open_at_end")
        .reset_index()
        .iloc[::-1]
    )
    values = (
        []
        if asked.split == "all"
        else steps.groupby("split")["open_at_end"]
        .last()
        .nlargest(charts.MOST_SERIES)
        .index.tolist()
    )
    total = wide[[name for name in wide.columns if name not in ("first", "last")]].sum(axis=1)
    wide = wide.assign(named=[_title(last, last) for last in wide["last"]], all_of_them=total)

    def links(row: pd.Series) -> number_table.Links:
        yield "All", int(row["all_of_them"]), on_evenings(asked.filters, row["last"])
        for value in values:
            yield (
                asked.called(value),
                int(row[value]),
                on_evenings(within(asked, value), row["last"]),
            )

    _table(
        asked,
        wide,
        {
            "named": "Evening of",
            "all_of_them": "All",
            **{value: asked.called(value) for value in values},
        },
        links,
        "evenings",
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

    def of_mark(title: str, column: str) -> Filters:
        return _moved(asked.filters, column, steps[title])

    _draw(figure, alt, "backlog.flow", asked, of_mark, worklist)
    rows = rows.assign(named=rows["title"], net=rows["came_in"] - rows["went_out"]).iloc[::-1]

    def links(row: pd.Series) -> number_table.Links:
        for column, label in MOVED.items():
            yield (
                label,
                int(row[column]),
                _moved(asked.filters, column, Period(row["first"], row["last"])),
            )

    _table(asked, rows, {"named": "When", **MOVED, "net": "Net"}, links, "moves")


def show_cumulative(worklist: Worklist, asked: Asked, moves: Moves) -> None:
    """All that came in until each step, the backlog before the period included, and all that went out: the gap is what is open."""
    rows = _titled(moves.whole)
    before = int(moves.whole_before["open_at_end"])
    rows = rows.assign(arrived=before + rows["came_in"].cumsum(), left=rows["went_out"].cumsum())
    gap = int(rows["arrived"].iloc[-1] - rows["left"].iloc[-1])
    alt = f"The gap between the lines is what is open: {before:,} before the period, {gap:,} at its end."
    figure = charts.lines_to_click(rows, "title", SINCE, "Tasks since the period began")
    ends = dict(zip(rows["title"], rows["last"], strict=True))

    def until(column: str, last: dt.date) -> Filters:
        if column == "left":
            return went_out(asked.filters, Period(asked.period.first, last))
        return on_evenings(
            asked.filters, last, asked.evening_before if column == "arrived" else None
        )

    _draw(
        figure,
        alt,
        "backlog.cumulative",
        asked,
        lambda title, column: until(column, ends[title]),
        worklist,
        "a point",
    )
    columns = SINCE | {"open_at_end": "Open"}
    rows = rows.assign(named=[_title(last, last) for last in rows["last"]]).iloc[::-1]

    def links(row: pd.Series) -> number_table.Links:
        for column, label in columns.items():
            yield label, int(row[column]), until(column, row["last"])

    _table(asked, rows, {"named": "Until the evening of", **columns}, links, "sums")


def _moved(filters: Filters, column: str, step: Period) -> Filters:
    return (
        came_in(filters, step)
        if column == "came_in"
        else went_out(filters, step, GROUPED_CLOSE_KINDS.get(column, ()))
    )


def _titled(rows: pd.DataFrame) -> pd.DataFrame:
    titles = {
        first: _title(first, last)
        for first, last in rows[["first", "last"]].drop_duplicates().itertuples(index=False)
    }
    return rows.assign(title=rows["first"].map(titles))


def _title(first: dt.date, last: dt.date) -> str:
    return f"{first:%b %-d}" if first == last else f"{first:%b %-d} – {last:%b %-d}"


def _draw(
    figure: object,
    alt: str,
    key: str,
    asked: Asked,
    of_mark: Callable[..., Filters],
    worklist: Worklist,
    mark: str = "a bar",
) -> None:
    # What is clicked belongs to this view: another one draws another chart.
    st.session_state[key] = (
        f"{key}."
        + hashlib.sha1(repr(asked.view.query()).encode(), usedforsecurity=False).hexdigest()[:16]
    )
    chosen = chart.show(figure, alt, st.session_state[key], on_select="rerun")
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        for point in chosen["selection"]["points"][:1]:
            title, value, *_ = point["customdata"]
            wanted = of_mark(title, value)
            count = cached.summary(worklist, wanted)["tasks"]
            named = (MOVED | SINCE).get(value) or ("All" if value is None else asked.called(value))
            number_links.link(
                asked.view,
                f"List {'1 task' if count == 1 else f'{count:,} tasks'}: {named}, {title}",
                wanted,
            )
        if not chosen["selection"]["points"]:
            st.text(f"Click {mark} for its tasks")


def _table(
    asked: Asked,
    rows: pd.DataFrame,
    titles: dict[str, str],
    links: Callable[[pd.Series], number_table.Links],
    name: str,
) -> None:
    with st.expander("The numbers", icon=":material/table:"):
        columns = {
            column: number_table.text(title, 130)
            if column == "named"
            else number_table.number(title)
            for column, title in titles.items()
        }
        number_table.show(
            asked.view,
            rows.reset_index(drop=True),
            columns,
            f"{len(rows)} rows: {', '.join(titles.values())}",
            links,
            name=name,
        )
