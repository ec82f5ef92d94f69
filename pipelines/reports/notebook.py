"""The API of the notebooks: open the list their parameters name, and show text, tables and charts.

Output is HTML with all data escaped, so the same output serves Jupyter and reports.
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
from pipelines.demo import build
from pipelines.reports import Scope
from pipelines.reports.cells import Cell, is_missing
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
    """One run of a notebook.

    `worklist` is the list at the end of the period, or at the time of the report if earlier.
    `tables_folder` takes each shown table as a pickle for the spreadsheet.
    """

    settings: Settings
    scope: Scope
    worklist: Worklist
    tables_folder: Path | None = None
    _shown: list[str] = field(default_factory=list)

    @property
    def period(self) -> Period:
        """The days of the report, in steps of a day."""
        return self.scope.period

    @property
    def weeks(self) -> Period:
        """The days of the report, in steps of a week."""
        return Period(self.period.first, self.period.last, "week")

    @property
    def filters(self) -> Filters:
        """Open and closed tasks of the report's facility."""
        return Filters(status="all", facility_ids=self.scope.facility_ids)

    @property
    def facility(self) -> str:
        """The name of the facility, or "all facilities"."""
        names = self.worklist.facilities().set_index("facility_id")["name"]
        facility_id = self.scope.facility_id
        return "all facilities" if facility_id is None else str(names[facility_id])

    def introduce(self) -> None:
        """Show facility, period and time of the list in one line."""
        facility = f"{self.facility[0].upper()}{self.facility[1:]}"
        days = f"{day(self.period.first)} to {day(self.period.last)}"
        at = f"{self.worklist.at.astimezone(dt.UTC):%B %-d, %Y, %H:%M} UTC"
        _display_line(f"{facility}, {days}. The list as it was on {at}.")

    def say(self, *sentences: str) -> None:
        """Show a paragraph."""
        display(HTML(f"<p>{escape(' '.join(sentences))}</p>"))

    def table(self, name: str, rows: pd.DataFrame, columns: Mapping[str, str]) -> None:
        """Show the columns (heading → column) as a table; it becomes the sheet `name`.

        Columns whose name ends in "share" are shown as percentages.
        """
        shown = pd.DataFrame(
            {
                heading: [_whole(value) for value in rows[column]]
                for heading, column in columns.items()
            }
        )
        shares = {heading for heading, column in columns.items() if column.endswith("share")}
        empty = f"<p class='empty'>{escape(name)}: nothing to list.</p>"
        display(HTML(_table(shown, shares) if len(shown) else empty))
        self._shown.append(name)
        if self.tables_folder is not None:
            shown.to_pickle(self.tables_folder / f"{len(self._shown):02d} {name}")

    def figure(self, figure: Figure, alt: str, height: int = 320) -> None:
        """Show a chart, `height` in pixels, with `alt` as its caption and text alternative."""
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
    """Open the list of WORKBENCH_DATA; the demo if no extracts are set and no list is published.

    `at` is an ISO time with offset (default: the newest run), `first` and `last` are ISO days
    (default: the last weeks), `facility` is a facility id. Raises UserError for other values.
    """
    settings = _practice()
    moment = dt.datetime.fromisoformat(at) if at else newest_run(settings)
    scope = reports.scope(settings, moment, _day(first), _day(last), facility)
    with open_worklist(settings, moment) as now:
        end = past.evening_of(now, scope.period.last, facility)
    return Report(
        settings,
        scope,
        open_worklist(settings, min(moment, end)),
        Path(tables) if tables else None,
    )


def _practice() -> Settings:
    """The settings of the practice, or of the demo, which is built if it is not there yet."""
    settings = settings_module.load()
    if settings.extracts is not None or snapshots.current(settings.warehouse) is not None:
        return settings
    demo = build.settings_for(settings)
    _display_line("No list is published yet, so this notebook shows the demo practice.")
    if not build.is_built(demo):
        _display_line("Building the demo practice. This takes about a minute and is done once.")
        build.build(demo)
    return demo


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _display_line(text: str) -> None:
    display(HTML(f"<p class='scope'>{escape(text)}</p>"))


def newest_run(settings: Settings) -> dt.datetime:
    """The as_of of the live snapshot."""
    con = snapshots.connect()
    try:
        return worklist_at.attach_current(con, settings).as_of
    finally:
        con.close()


def day(value: dt.date) -> str:
    """A day such as "November 1, 2026"."""
    return f"{value:%B %-d, %Y}"


def count(number: int, noun: str, nouns: str | None = None) -> str:
    """A number with its noun, such as "1 task" or "1,200 tasks"."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def share(part: float, whole: float) -> float:
    """part / whole, from 0 to 1; 0 where the whole is 0."""
    return part / whole if whole else 0.0


def age(band: str) -> str:
    """An age band as text, such as "8–14 days"."""
    first, _, last = band.partition("-")
    return f"{first}–{last} days" if last else f"{first} days or more"


def _whole(value: Cell) -> Cell:
    """A Decimal without decimal places as int: DuckDB returns sums of counts so."""
    return int(value) if isinstance(value, Decimal) and value.as_tuple().exponent == 0 else value


def _table(rows: pd.DataFrame, shares: set[str]) -> str:
    columns = {str(name): list(rows[name]) for name in rows}
    classes = {
        name: " class='number'" if all(map(_is_number, values)) else ""
        for name, values in columns.items()
    }
    heads = "".join(f"<th{classes[name]}>{escape(name)}</th>" for name in columns)
    cells = [
        [f"<td{classes[name]}>{escape(_text(value, name in shares))}</td>" for value in values]
        for name, values in columns.items()
    ]
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _is_number(value: Cell) -> bool:
    return is_missing(value) or (hasattr(value, "__round__") and not isinstance(value, bool))


def _text(value: Cell, is_share: bool) -> str:
    """A value as text: dates in words, decimals in dollars, shares in percent."""
    if value is None or is_missing(value):
        return "–"
    if isinstance(value, Decimal):
        return f"${value:,.2f}"
    if isinstance(value, dt.datetime):
        return f"{value:%b\N{NO-BREAK SPACE}%-d,\N{NO-BREAK SPACE}%Y, %H:%M}"
    if isinstance(value, dt.date):
        return f"{value:%b\N{NO-BREAK SPACE}%-d,\N{NO-BREAK SPACE}%Y}"
    if not _is_number(value):
        return str(value)
    if is_share:
        return f"{value:.1%}"
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
