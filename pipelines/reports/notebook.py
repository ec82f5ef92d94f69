"""What a notebook stands on: the list, days and facility that its parameters mean, and how it shows its findings.

What is shown is HTML in which every text from data is escaped, so that the same output serves in Jupyter and in a report.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from IPython.display import HTML, display

from pipelines import reports
from pipelines import settings as settings_module
from pipelines.analytics import charts
from pipelines.analytics.period import Period
from pipelines.reports import Scope
from pipelines.settings import Settings
from pipelines.warehouse import snapshots
from pipelines.worklist import at as worklist_at
from pipelines.worklist import past
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist, open_worklist

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass
class Report:
    """One notebook's run. `worklist` is the list as it was when the period ended, or at the moment of the report if that was earlier."""

    settings: Settings
    scope: Scope
    worklist: Worklist
    tables_folder: Path | None = None
    _shown: list[str] = field(default_factory=list)

    @property
    def period(self) -> Period:
        """Its days, in steps of a day."""
        return self.scope.period

    @property
    def weeks(self) -> Period:
        """Its days, in steps of a week."""
        return Period(self.period.first, self.period.last, "week")

    @property
    def filters(self) -> Filters:
        """Its facility's tasks, open or closed."""
        return Filters(status="all", facility_ids=self.scope.facility_ids)

    @property
    def facility(self) -> str:
        """The facility's name, or that it is all of them."""
        rows = self.worklist.facilities().set_index("facility_id")["name"]
        return "all facilities" if self.scope.facility_id is None else rows[self.scope.facility_id]

    def introduce(self) -> None:
        """What the report is about, in one line."""
        days = f"{day(self.period.first)} to {day(self.period.last)}"
        said = f"{self.facility[0].upper()}{self.facility[1:]}, {days}. The list as it was on {self.worklist.at.astimezone(dt.UTC):%B %-d, %Y, %H:%M} UTC."
        display(HTML(f"<p class='scope'>{escape(said)}</p>"))

    def say(self, *sentences: str) -> None:
        """A paragraph."""
        display(HTML(f"<p>{escape(' '.join(sentences))}</p>"))

    def table(self, name: str, rows: pd.DataFrame, columns: Mapping[str, str]) -> None:
        """A table (heading → column); under its name it becomes a sheet of the report's spreadsheet."""
        shown = pd.DataFrame(
            {
                heading: [_counted(value) for value in rows[column]]
                for heading, column in columns.items()
            }
        )
        shares = {heading for heading, column in columns.items() if column.endswith("share")}
        display(
            HTML(
                _table(shown, shares)
                if len(shown)
                else f"<p class='empty'>{escape(name)}: nothing to list.</p>"
            )
        )
        self._shown.append(name)
        if self.tables_folder is not None:
            shown.to_pickle(self.tables_folder / f"{len(self._shown):02d} {name}")

    def figure(self, figure: Figure, alt: str, height: int = 320) -> None:
        """A chart, and what it shows in words for who cannot see it."""
        self._shown.append(alt)
        part = charts.part(figure, f"figure-{len(self._shown)}", height)
        data = {
            "text/html": f"<figure>{part}<figcaption>{escape(alt)}</figcaption></figure>",
            "application/vnd.plotly.v1+json": figure.to_plotly_json(),
        }
        display(data, raw=True)


def open_report(
    at: str | None = None,
    first: str | None = None,
    last: str | None = None,
    facility: str | None = None,
    tables: str | None = None,
) -> Report:
    """The report that these parameters mean, each as text or None: at a moment with its offset, days as 2026-11-01, a facility's id.

    Without a moment it is that of the newest run; without days the last weeks. The data folder is WORKBENCH_DATA.
    """
    settings = settings_module.load()
    moment = dt.datetime.fromisoformat(at) if at else newest_run(settings)
    days = (dt.date.fromisoformat(text) if text else None for text in (first, last))
    scope = reports.scope(settings, moment, *days, facility)
    with open_worklist(settings, moment) as now:
        end = past.evening_of(now, scope.period.last, facility)
    return Report(
        settings,
        scope,
        open_worklist(settings, min(moment, end)),
        Path(tables) if tables else None,
    )


def newest_run(settings: Settings) -> dt.datetime:
    """The moment the live snapshot speaks for."""
    con = snapshots.connect()
    try:
        return worklist_at.attach_current(con, settings).as_of
    finally:
        con.close()


def day(value: dt.date) -> str:
    """A day as people write it."""
    return f"{value:%B %-d, %Y}"


def count(number: int, noun: str, nouns: str | None = None) -> str:
    """A number with its noun."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def share(part: float, whole: float) -> float:
    """A part of a whole from 0 to 1; nothing of nothing is nothing."""
    return part / whole if whole else 0.0


def age(band: str) -> str:
    """An age band in words."""
    first, _, last = band.partition("-")
    return f"{first}–{last} days" if last else f"{first} days or more"


def _counted(value: object) -> object:
    """The value; a sum of counts, which DuckDB answers as a decimal without cents, as the whole number it is."""
    return int(value) if isinstance(value, Decimal) and value.as_tuple().exponent == 0 else value


def _table(rows: pd.DataFrame, shares: set[str]) -> str:
    is_number = {name: rows[name].map(_is_number).all() for name in rows}
    heads = "".join(f"<th{_right(is_number[name])}>{escape(name)}</th>" for name in rows)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_right(is_number[name])}>{escape(_written(value, name in shares))}</td>"
            for name, value in row.items()
        )
        + "</tr>"
        for row in rows.to_dict("records")
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _right(is_number: bool) -> str:
    return " class='number'" if is_number else ""


def _is_number(value: object) -> bool:
    return _is_missing(value) or (hasattr(value, "__round__") and not isinstance(value, bool))


def _is_missing(value: object) -> bool:
    return value is None or (not isinstance(value, str) and bool(pd.isna(value)))


def _written(value: object, is_share: bool) -> str:
    """A value as the report's reader expects it: days in words, dollars for decimals, shares in percent."""
    if _is_missing(value):
        return "–"
    if isinstance(value, Decimal):
        return f"${value:,.2f}"
    if isinstance(value, dt.datetime):
        return f"{value:%b\N{NO-BREAK SPACE}%-d,\N{NO-BREAK SPACE}%Y, %H:%M}"
    if isinstance(value, dt.date):
        return f"{value:%b\N{NO-BREAK SPACE}%-d,\N{NO-BREAK SPACE}%Y}"
    if is_share:
        return f"{value:.1%}"
    if _is_number(value):
        return (
            f"{value:,}"
            if float(value).is_integer() and not isinstance(value, float)
            else f"{value:,.4g}"
        )
    return str(value)
