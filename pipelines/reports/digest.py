"""The weekly digest for managers: one page fit for an e-mail, facility by facility. No script, nothing loaded, no patient named.

Mail programs know tables and styles written at each element, and little else; pictures are inside the page.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
from collections.abc import Callable, Mapping
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


def html(settings: Settings, scope: Scope, tell: Callable[[float, str], None]) -> str:
    """The page for the week of the scope, as the list was in its last evening or at the moment of the digest."""
    with open_worklist(settings, scope.at) as now:
        at = min(scope.at, past.evening_of(now, scope.period.last, scope.facility_id))
        withheld, fresh = history.withheld(now.con), history.freshness(now.con)
    with open_worklist(settings, at) as listed:
        every = Filters(status="all", facility_ids=scope.facility_ids)
        facility_ids = numbers.by_facility(listed, every, scope.period)
        parts = []
        for number, facility in enumerate(facility_ids.itertuples()):
            tell(number / len(facility_ids), facility.facility)
            parts.append(_facility(listed, scope, facility._asdict()))
    whose = (
        facility_ids["facility"].iloc[0]
        if len(facility_ids) == 1
        else f"{len(facility_ids)} facilities"
    )
    title = f"Tasks of the week, {scope.period.first:%B %-d} to {scope.period.last:%B %-d, %Y}"
    said = [
        f"{whose}. The list as it was on {at.astimezone(dt.UTC):%B %-d, %Y, %H:%M} UTC; the newest data is of {fresh.as_of:%B %-d, %H:%M} UTC."
    ]
    if len(withheld):
        said.append(
            "Withheld in the newest run, so these lists stayed as they were: "
            + ", ".join(withheld["title"])
            + "."
        )
    said += [
        f"The extract {row.table_name} was not accepted: {row.reason}."
        for row in fresh.not_accepted.itertuples()
    ]
    head = f"<h1 style='font-size:22px;margin:0 0 6px'>{escape(title)}</h1>" + "".join(
        _paragraph(text) for text in said
    )
    foot = _paragraph(
        "Tasks appear by id, since an e-mail is read in many places: the workbench shows whose they are."
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{escape(title)}</title></head><body style="margin:0;padding:24px;background:#ffffff;{TEXT}">'
        f'<table role="presentation" width="640" style="max-width:100%;border-collapse:collapse;{TEXT}"><tr><td>'
        f"{head}{''.join(parts)}{foot}</td></tr></table></body></html>\n"
    )


def _facility(listed: Worklist, scope: Scope, facility: Mapping[str, object]) -> str:
    mine = Filters(status="all", facility_ids=(str(facility["facility_id"]),))
    written = {name: "{:+,}" if name == "net" else "{:,}" for name in NUMBERS}
    rows = [
        (
            label,
            written[name].format(facility[name]),
            written[name].format(facility[f"{name}_before"]),
        )
        for name, label in NUMBERS.items()
    ]
    rows.append(("Dollars waiting", f"${facility['amount']:,.2f}", ""))
    first = scope.period.last - dt.timedelta(days=7 * WEEKS_DRAWN - 1)
    daily = flow.flow(listed, mine, period.Period(first, scope.period.last)).steps
    alt = f"Open tasks in the evening of each day from {first:%B %-d} to {scope.period.last:%B %-d}"
    if len(daily):
        alt += f": {daily['open_at_end'].iloc[0]:,} at first, {daily['open_at_end'].iloc[-1]:,} at the end"
    picture = (
        f'<img src="data:image/png;base64,{_picture(daily)}" width="560" height="150" alt="{escape(alt)}">'
        if len(daily)
        else ""
    )
    oldest = numbers.oldest(listed, mine)
    old = [(row.title, f"{row.age_days:,} days", row.task_id) for row in oldest.itertuples()]
    return (
        f"<h2 style='font-size:18px;margin:26px 0 6px'>{escape(str(facility['facility']))}</h2>"
        + _table(("", "This week", "The week before"), rows)
        + (
            f"{picture}{_paragraph(alt + '.')}"
            if picture
            else _paragraph("No task was on this facility's list in these weeks.")
        )
        + (_table(("Oldest tasks", "Age", "Task id"), old) if old else "")
    )


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th style='{CELL};font-weight:bold'>{escape(text)}</th>" for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td style='{CELL}'>{escape(str(text))}</td>" for text in row) + "</tr>"
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
