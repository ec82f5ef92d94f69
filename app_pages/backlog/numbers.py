"""The numbers of the Backlog page: how it stands and moved, and each value of the split beside the others and its own past."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.backlog.view import Asked, Moves, Standing
from app_pages.components import number_links, number_table
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import filters as url_filters
from pipelines.analytics.flow import Littles
from pipelines.analytics.period import Period
from pipelines.worklist.filters import Filters


def show(asked: Asked, moves: Moves, standing: Standing) -> None:
    """How much is open, overdue and deferred now and was before the period; what came and went in it, and in the one before."""
    came, went = (int(moves.whole[name].sum()) for name in ("came_in", "went_out"))
    before = moves.whole_before
    net_before = int(before["came_in"] - before["went_out"])
    now, then = (
        {name: int(rows[name].sum()) for name in ("tasks", "overdue", "deferred")}
        for rows in (standing.now, standing.before)
    )
    oldest = min((day for day in standing.now["oldest"] if not pd.isna(day)), default=None)
    evening = f"in the evening of {asked.evening_before:%B %-d}"
    with st.grid(4, min_column_width=170):
        number_links.card(
            asked.view,
            "Open",
            f"{now['tasks']:,}",
            asked.filters,
            _against(now["tasks"], then["tasks"], evening),
        )
        overdue, deferred = (
            replace(asked.filters, status=name) for name in ("overdue", "deferred")
        )
        number_links.card(
            asked.view,
            "Overdue",
            f"{now['overdue']:,}",
            overdue,
            _against(now["overdue"], then["overdue"], evening),
        )
        number_links.card(
            asked.view,
            "Deferred",
            f"{now['deferred']:,}",
            deferred,
            _against(now["deferred"], then["deferred"], evening),
        )
        number_links.card(
            asked.view,
            "Oldest",
            "none" if oldest is None else f"{oldest:%b %-d, %Y}",
            asked.filters,
            "since it fell due, not since it was noticed",
        )
        number_links.card(
            asked.view,
            "Came in",
            f"{came:,}",
            came_in(asked.filters, asked.period),
            _against(came, int(before["came_in"])),
        )
        number_links.card(
            asked.view,
            "Went out",
            f"{went:,}",
            went_out(asked.filters, asked.period),
            _against(went, int(before["went_out"])),
        )
        number_links.card(
            asked.view, "Net", f"{came - went:+,}", None, f"{net_before:+,} in the period before"
        )
        number_links.card(asked.view, "Days to work it off", *_littles(moves.flow.littles))
    st.markdown(caption(escape_markdown(_said(asked, moves))))


def _littles(law: Littles) -> tuple[str, None, str]:
    """Little's law: what is open on average ÷ what leaves a day should be the days a task stays; both, for who wants to check."""
    if law.expected is None or law.stayed is None:
        return "no end", None, f"{law.average_open:,.1f} open on average, nothing went out"
    said = f"{law.average_open:,.1f} open on average ÷ {law.average_open / law.expected:,.1f} going out a day"
    return f"{law.expected:,.1f}", None, f"{said}; those that left stayed {law.stayed:,.1f}"


def _against(now: int, before: int, when: str = "in the period before") -> str:
    return f"{before:,} {when}" + (f", {(now - before) / before:+.0%}" if before else "")


def _said(asked: Asked, moves: Moves) -> str:
    first, last = asked.period.first, asked.period.last
    saturday = last + dt.timedelta(days=(5 - last.weekday()) % 7)
    began = moves.whole.loc[moves.whole["came_in"] > 0, "first"].min()
    is_new = (
        not moves.whole_before["came_in"]
        and not moves.whole_before["open_at_end"]
        and not pd.isna(began)
        and began > first
    )
    text = f"{first:%B %-d} to {last:%B %-d, %Y}" + (
        "" if last == saturday else f"; the last week goes to {saturday:%B %-d} and is not over"
    )
    twice = [
        f"{often:,} {what} more than once"
        for often, what in zip(moves.again, ("came in", "went out"), strict=True)
        if often
    ]
    # A task that was reopened leaves twice; its list has it once.
    text += f". The list has nothing from before {began:%B %-d}" if is_new else ""
    return text + (f". Counted each time: {' and '.join(twice)}" if twice else "") + "."


def show_comparison(asked: Asked, moves: Moves, standing: Standing) -> None:
    """One row a value: how it stands, and what moved in the period, beside how it stood and what moved before."""
    stood = standing.before.rename(
        columns={name: f"{name}_before" for name in ("tasks", "overdue", "deferred")}
    )
    rows = standing.now.drop(columns="oldest_days")
    for more in (_moved(moves.flow.steps), _moved(moves.flow.before, "_before"), stood):
        rows = rows.merge(more, on="split", how="outer")
    numbers = [name for name in rows.columns if name not in ("split", "oldest", "amount")]
    rows = rows.assign(
        **rows[numbers].fillna(0).astype(int), amount=rows["amount"].fillna(0).astype(float)
    )
    rows = rows[(rows[numbers] != 0).any(axis=1)].sort_values(
        ["tasks", "split"], ascending=[False, True], ignore_index=True
    )
    rows = rows.assign(named=[asked.called(value) for value in rows["split"]])

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

    evening = f"In the evening of {asked.evening_before:%B %-d}"
    columns = {
        "named": number_table.text(asked.split_label),
        "tasks": number_table.number("Open"),
        "overdue": number_table.number("Overdue"),
        "deferred": number_table.number("Deferred"),
        "oldest": st.column_config.DateColumn("Oldest", format="MMM D, YYYY"),
        "amount": number_table.number(
            "Dollars", "Waiting in Uncollected Payments and Refund Request", "dollar"
        ),
        "came_in": number_table.number("Came in"),
        "went_out": number_table.number("Went out"),
        "net": number_table.number("Net", pattern="%+d"),
        "tasks_before": number_table.number("Open, before", evening),
        "overdue_before": number_table.number("Overdue, before", evening),
        "deferred_before": number_table.number("Deferred, before", evening),
        "came_in_before": number_table.number(
            "In, before", "In the period of the same length before"
        ),
        "went_out_before": number_table.number("Out, before"),
        "net_before": number_table.number("Net, before", pattern="%+d"),
    }
    alt = f"{len(rows)} rows by {asked.split_label.lower()}: open, overdue, deferred, oldest, dollars, what came and went, and the same before"
    number_table.show(asked.view, rows, columns, alt, links, name="comparison")
    if asked.split == "staff":
        st.markdown(
            caption(
                "By whose the tasks are now: a draft moves to whoever edits the document last, and takes its past along."
            )
        )


def _moved(steps: pd.DataFrame, suffix: str = "") -> pd.DataFrame:
    found = steps.groupby("split", as_index=False)[["came_in", "went_out"]].sum()
    return found.assign(net=found["came_in"] - found["went_out"]).rename(
        columns={name: f"{name}{suffix}" for name in ("came_in", "went_out", "net")}
    )


def within(asked: Asked, value: str) -> Filters:
    """The filters of the view, and of one value of its split."""
    if asked.split == "all":
        return asked.filters
    return replace(asked.filters, **{url_filters.FIELDS[asked.split]: (value,)})


def came_in(filters: Filters, period: Period) -> Filters:
    """The tasks that came to the list in those days."""
    return replace(filters, status="all", in_from=period.first, in_to=period.last)


def went_out(filters: Filters, period: Period, how: Sequence[str] = ()) -> Filters:
    """The tasks that left it in those days; with ends of tasks, those that left so."""
    return replace(
        filters, status="all", out_from=period.first, out_to=period.last, close_kinds=tuple(how)
    )


def on_evenings(filters: Filters, last: dt.date, since: dt.date | None = None) -> Filters:
    """The tasks that were on it in the evening of a day, or at some time from an earlier evening on."""
    return replace(filters, status="all", open_on=last, open_since=since)
