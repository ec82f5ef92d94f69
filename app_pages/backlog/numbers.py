"""The numbers of the Backlog page: now and before, in all and by value of the split."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.backlog.view import Asked, Moves, Standing
from app_pages.components import number_links, number_table
from app_pages.session.markdown import caption, escape_markdown
from pipelines.analytics.flow import Littles
from pipelines.analytics.period import Period
from pipelines.worklist.filters import Filters, narrowed

ABOUT_STAFF = (
    "By whose the tasks are now: a draft moves to the last editor of the document, and takes its "
    "past along."
)


def show(asked: Asked, moves: Moves, standing: Standing) -> None:
    """Open, overdue and deferred now and before the period; what came and went in it and before."""
    with st.grid(4, min_column_width=170):
        _show_standing(asked, standing)
        _show_moves(asked, moves)
    st.markdown(caption(escape_markdown(_period_in_words(asked, moves))))


def _show_standing(asked: Asked, standing: Standing) -> None:
    evening = f"in the evening of {asked.evening_before:%B %-d}"
    for label, column, wanted in (
        ("Open", "tasks", asked.filters),
        ("Overdue", "overdue", replace(asked.filters, status="overdue")),
        ("Deferred", "deferred", replace(asked.filters, status="deferred")),
    ):
        now, then = (int(rows[column].sum()) for rows in (standing.now, standing.before))
        number_links.card(asked.view, label, f"{now:,}", wanted, _against(now, then, evening))
    oldest = min((day for day in standing.now["oldest"] if not pd.isna(day)), default=None)
    number_links.card(
        asked.view,
        "Oldest",
        "none" if oldest is None else f"{oldest:%b %-d, %Y}",
        asked.filters,
        "since it fell due, not since it was noticed",
    )


def _show_moves(asked: Asked, moves: Moves) -> None:
    came, went = (int(moves.whole[name].sum()) for name in ("came_in", "went_out"))
    came_before, went_before = (int(moves.whole_before[name]) for name in ("came_in", "went_out"))
    number_links.card(
        asked.view,
        "Came in",
        f"{came:,}",
        came_in(asked.filters, asked.period),
        _against(came, came_before),
    )
    number_links.card(
        asked.view,
        "Went out",
        f"{went:,}",
        went_out(asked.filters, asked.period),
        _against(went, went_before),
    )
    net_before = f"{came_before - went_before:+,} in the period before"
    number_links.card(asked.view, "Net", f"{came - went:+,}", None, net_before)
    days, note = _days_to_work_off(moves.flow.littles)
    number_links.card(asked.view, "Days to work it off", days, None, note)


def _days_to_work_off(law: Littles) -> tuple[str, str]:
    """Little's law: average open ÷ leaving a day; the note has the days that tasks stayed."""
    if law.expected is None or law.stayed is None:
        return "no end", f"{law.average_open:,.1f} open on average, nothing went out"
    a_day = law.average_open / law.expected
    note = (
        f"{law.average_open:,.1f} open on average ÷ {a_day:,.1f} going out a day; "
        f"those that left stayed {law.stayed:,.1f}"
    )
    return f"{law.expected:,.1f}", note


def _against(now: int, before: int, when: str = "in the period before") -> str:
    return f"{before:,} {when}" + (f", {(now - before) / before:+.0%}" if before else "")


def _period_in_words(asked: Asked, moves: Moves) -> str:
    first, last = asked.period.first, asked.period.last
    saturday = last + dt.timedelta(days=(5 - last.weekday()) % 7)
    began = moves.whole.loc[moves.whole["came_in"] > 0, "first"].min()
    before = moves.whole_before
    was_empty = not before["came_in"] and not before["open_at_end"]
    is_new = was_empty and not pd.isna(began) and began > first
    text = f"{first:%B %-d} to {last:%B %-d, %Y}"
    if last != saturday:
        text += f"; the last week goes to {saturday:%B %-d} and is not over"
    if is_new:
        text += f". The list has nothing from before {began:%B %-d}"
    # A reopened task leaves twice; the list behind the number has it once.
    twice = [
        f"{often:,} {what} more than once"
        for often, what in zip(moves.again, ("came in", "went out"), strict=True)
        if often
    ]
    return text + (f". Counted each time: {' and '.join(twice)}" if twice else "") + "."


def show_comparison(asked: Asked, moves: Moves, standing: Standing) -> None:
    """One row a value of the split: its standing and moves, and the same before the period."""
    rows = _comparison(moves, standing)
    rows = rows.assign(named=[asked.name_of(value) for value in rows["split"]])

    def links(row: pd.Series) -> number_table.Links:
        mine, before = within(asked, row["split"]), asked.period.before()
        then = on_evenings(mine, asked.evening_before)
        yield "Open", row["tasks"], mine
        yield "Overdue", row["overdue"], replace(mine, status="overdue")
        yield "Deferred", row["deferred"], replace(mine, status="deferred")
        yield "Came in", row["came_in"], came_in(mine, asked.period)
        yield "Went out", row["went_out"], went_out(mine, asked.period)
        yield "Open, before", row["tasks_before"], then
        yield "Overdue, before", row["overdue_before"], replace(then, stood_as="overdue")
        yield "Deferred, before", row["deferred_before"], replace(then, stood_as="deferred")
        yield "Came in, before", row["came_in_before"], came_in(mine, before)
        yield "Went out, before", row["went_out_before"], went_out(mine, before)

    alt = (
        f"{len(rows)} rows by {asked.split_label.lower()}: open, overdue, deferred, oldest, "
        "dollars, what came and went, and the same before"
    )
    number_table.show(asked.view, rows, _columns(asked), alt, links, name="comparison")
    if asked.split == "staff":
        st.markdown(caption(ABOUT_STAFF))


def _comparison(moves: Moves, standing: Standing) -> pd.DataFrame:
    """One row a value that has any number, most open tasks first."""
    stood = standing.before.rename(
        columns={name: f"{name}_before" for name in ("tasks", "overdue", "deferred")}
    )
    rows = standing.now.drop(columns="oldest_days")
    for more in (_moved(moves.flow.steps), _moved(moves.flow.before, "_before"), stood):
        rows = rows.merge(more, on="split", how="outer")
    numbers = [name for name in rows.columns if name not in ("split", "oldest", "amount")]
    rows[numbers] = rows[numbers].fillna(0).astype(int)
    rows = rows.assign(amount=rows["amount"].fillna(0).astype(float))
    return rows[(rows[numbers] != 0).any(axis=1)].sort_values(
        ["tasks", "split"], ascending=[False, True], ignore_index=True
    )


def _columns(asked: Asked) -> number_table.Columns:
    number = number_table.number
    evening = f"In the evening of {asked.evening_before:%B %-d}"
    return {
        "named": number_table.text(asked.split_label),
        "tasks": number("Open"),
        "overdue": number("Overdue"),
        "deferred": number("Deferred"),
        "oldest": st.column_config.DateColumn("Oldest", format="MMM D, YYYY"),
        "amount": number("Dollars", "Waiting in Uncollected Payments and Refund Request", "dollar"),
        "came_in": number("Came in"),
        "went_out": number("Went out"),
        "net": number("Net", pattern="%+d"),
        "tasks_before": number("Open, before", evening),
        "overdue_before": number("Overdue, before", evening),
        "deferred_before": number("Deferred, before", evening),
        "came_in_before": number("In, before", "In the period of the same length before"),
        "went_out_before": number("Out, before"),
        "net_before": number("Net, before", pattern="%+d"),
    }


def _moved(steps: pd.DataFrame, suffix: str = "") -> pd.DataFrame:
    found = steps.groupby("split", as_index=False)[["came_in", "went_out"]].sum()
    return found.assign(net=found["came_in"] - found["went_out"]).rename(
        columns={name: f"{name}{suffix}" for name in ("came_in", "went_out", "net")}
    )


def within(asked: Asked, value: str) -> Filters:
    """The filters of the view, narrowed to one value of its split."""
    if asked.split == "all":
        return asked.filters
    return narrowed(asked.filters, asked.split, value)


def came_in(filters: Filters, period: Period) -> Filters:
    """The tasks that came to the list in those days."""
    return replace(filters, status="all", in_from=period.first, in_to=period.last)


def went_out(filters: Filters, period: Period, how: Sequence[str] = ()) -> Filters:
    """The tasks that left the list in those days; with kinds of end, those that ended so."""
    return replace(
        filters, status="all", out_from=period.first, out_to=period.last, close_kinds=tuple(how)
    )


def on_evenings(filters: Filters, last: dt.date, since: dt.date | None = None) -> Filters:
    """The tasks on the list in the evening of `last`, or at any time from that of `since`."""
    return replace(filters, status="all", open_on=last, open_since=since)
