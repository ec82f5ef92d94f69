"""The weekly digest for managers: one HTML page for e-mail, facility by facility.

It has no script, loads nothing and names no patient. E-mail programs support tables and inline
styles and little else, so pictures are data URLs.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipelines.analytics import charts, flow, period
from pipelines.reports import Scope, numbers
from pipelines.runs import history
from pipelines.settings import Settings
from pipelines.worklist import past
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist, open_worklist

WEEKS_DRAWN = 4
INK, QUIET, LINE = charts.INK, "#475467", "#D9E2E5"
TEXT = f"font:15px/1.5 Arial,Helvetica,sans-serif;color:{INK}"
CELL = f"padding:4px 14px 4px 0;border-bottom:1px solid {LINE};text-align:left;vertical-align:top"
NUMBERS = {
    "open": "Open",
    "overdue": "Overdue",
    "deferred": "Deferred",
    "came_in": "Opened in the week",
    "went_out": "Closed in the week",
    "net": "Net",
}


@dataclass(frozen=True)
class Facility:
    """A facility's week; `counts` has the keys of NUMBERS, and with _before the week before."""

    facility_id: str
    name: str
    counts: Mapping[str, int]
    amount: Decimal


def html(settings: Settings, scope: Scope, tell: Callable[[float, str], None]) -> str:
    """The page for the week of the scope, with the list of its last evening or of `scope.at`.

    `tell` gets the share that is done and the facility being written.
    """
    with open_worklist(settings, scope.at) as now:
        at = min(scope.at, past.evening_of(now, scope.period.last, scope.facility_id))
        notes = _notes(now)
    with open_worklist(settings, at) as listed:
        every = Filters(status="all", facility_ids=scope.facility_ids)
        facilities = _facilities(numbers.by_facility(listed, every, scope.period))
        parts = []
        for number, facility in enumerate(facilities):
            tell(number / len(facilities), facility.name)
            parts.append(_facility(listed, scope, facility))
    whose = facilities[0].name if len(facilities) == 1 else f"{len(facilities)} facilities"
    title = f"Tasks of the week, {scope.period.first:%B %-d} to {scope.period.last:%B %-d, %Y}"
    as_it_was = f"{whose}. The list as it was on {at.astimezone(dt.UTC):%B %-d, %Y, %H:%M} UTC"
    head = f"<h1 style='font-size:22px;margin:0 0 6px'>{escape(title)}</h1>" + "".join(
        _paragraph(text) for text in (f"{as_it_was}; {notes[0]}", *notes[1:])
    )
    foot = _paragraph("Tasks appear by id for privacy: the workbench shows the patient.")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title></head>"
        f'<body style="margin:0;padding:24px;background:#ffffff;{TEXT}">'
        '<table role="presentation" width="640" '
        f'style="max-width:100%;border-collapse:collapse;{TEXT}"><tr><td>'
        f"{head}{''.join(parts)}{foot}</td></tr></table></body></html>\n"
    )


def _notes(listed: Worklist) -> list[str]:
    """How new the data is, then what the newest run withheld or did not accept."""
    fresh, withheld = history.freshness(listed.con), history.withheld(listed.con)
    assert fresh is not None, "a published list has a run"
    notes = [f"the newest data is of {fresh.as_of:%B %-d, %H:%M} UTC."]
    if len(withheld):
        titles = ", ".join(withheld["title"])
        notes.append(f"Withheld in the newest run, so these lists did not change: {titles}.")
    not_accepted = fresh.not_accepted
    notes += [
        f"The extract {table} was not accepted: {reason}."
        for table, reason in zip(not_accepted["table_name"], not_accepted["reason"], strict=True)
    ]
    return notes


def _facilities(rows: pd.DataFrame) -> list[Facility]:
    """The rows of numbers.by_facility."""
    counted = [*NUMBERS, *(f"{name}_before" for name in NUMBERS)]
    return [
        Facility(
            facility_id=str(rows["facility_id"].iloc[place]),
            name=str(rows["facility"].iloc[place]),
            counts={name: int(rows[name].iloc[place]) for name in counted},
            amount=Decimal(rows["amount"].iloc[place]),
        )
        for place in range(len(rows))
    ]


def _facility(listed: Worklist, scope: Scope, facility: Facility) -> str:
    """The part of the page about one facility."""
    own = Filters(status="all", facility_ids=(facility.facility_id,))
    rows = []
    for name, label in NUMBERS.items():
        sign = "+" if name == "net" else ""
        now, before = facility.counts[name], facility.counts[f"{name}_before"]
        rows.append((label, f"{now:{sign},}", f"{before:{sign},}"))
    rows.append(("Dollars waiting", f"${facility.amount:,.2f}", ""))
    oldest = numbers.oldest(listed, own)
    old = [
        (str(title), f"{age:,} days", str(task_id))
        for title, age, task_id in zip(
            oldest["title"], oldest["age_days"], oldest["task_id"], strict=True
        )
    ]
    return (
        f"<h2 style='font-size:18px;margin:26px 0 6px'>{escape(facility.name)}</h2>"
        + _table(("", "This week", "The week before"), rows)
        + _backlog(listed, scope, own)
        + (_table(("Oldest tasks", "Age", "Task id"), old) if old else "")
    )


def _backlog(listed: Worklist, scope: Scope, filters: Filters) -> str:
    """A picture of the open tasks of the last weeks, with the same in words."""
    first = scope.period.last - dt.timedelta(days=7 * WEEKS_DRAWN - 1)
    daily = flow.flow(listed, filters, period.Period(first, scope.period.last)).steps
    if daily.empty:
        return _paragraph("No task was on this facility's list in these weeks.")
    start, end = (daily["open_at_end"].iloc[place] for place in (0, -1))
    alt = (
        "Open tasks in the evening of each day "
        f"from {first:%B %-d} to {scope.period.last:%B %-d}: {start:,} at first, {end:,} at the end"
    )
    return (
        f'<img src="data:image/png;base64,{_picture(daily)}" width="560" height="150" '
        f'alt="{escape(alt)}">{_paragraph(alt + ".")}'
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th style='{CELL};font-weight:bold'>{escape(text)}</th>" for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td style='{CELL}'>{escape(text)}</td>" for text in row) + "</tr>"
        for row in rows
    )
    return (
        f"<table style='border-collapse:collapse;margin:6px 0;{TEXT}'><tr>{head}</tr>{body}</table>"
    )


def _paragraph(text: str) -> str:
    return f"<p style='margin:4px 0;font-size:13px;color:{QUIET}'>{escape(text)}</p>"


def _picture(daily: pd.DataFrame) -> str:
    """The open tasks of each evening, as a small PNG."""
    figure = Figure(figsize=(5.6, 1.5), dpi=100)
    axes = figure.add_subplot()
    axes.fill_between(
        daily["last"], daily["open_at_end"], color=charts.COLOURS[0], alpha=0.25, step="mid"
    )
    axes.step(
        daily["last"], daily["open_at_end"], color=charts.COLOURS[0], where="mid", linewidth=1.5
    )
    axes.set_ylim(bottom=0)
    axes.set_xlim(daily["last"].iloc[0], daily["last"].iloc[-1])
    sundays = [day for day in daily["last"] if day.weekday() == 6]
    axes.set_xticks(sundays, [f"{day:%b %-d}" for day in sundays], fontsize=8, color=INK)
    axes.tick_params(axis="y", labelsize=8, colors=INK)
    axes.set_ylabel("Open", fontsize=8, color=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout(pad=0.4)
    target = io.BytesIO()
    FigureCanvasAgg(figure).print_png(target)
    return base64.b64encode(target.getvalue()).decode("ascii")
