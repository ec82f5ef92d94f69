"""Export of a list: built on demand, and put in the access record with every patient it names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app_pages.session import clock, patient_data, workspace
from app_pages.session.patient_data import Exporter, Listed
from app_pages.session.times import local
from app_pages.url import time_travel
from pipelines import csv_files
from pipelines.reports import spreadsheet
from pipelines.worklist.filters import Filters, Order
from pipelines.worklist.worklist import Worklist

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_ADVICE = (
    "An apostrophe stands before ids such as 00123, so that spreadsheets keep them. "
    "The Excel file needs none."
)


@dataclass(frozen=True)
class Export:
    """A list to download.

    `kind` is what its rows are ("Tasks"), `name` the file's name without its ending. `ask` gives
    the rows with a column patient_id, `head` gives them the headings of the file. `list_of` gives
    another list than the one of now.
    """

    kind: str
    name: str
    description: str
    count: int
    ask: Callable[[Listed], pd.DataFrame]
    head: Callable[[pd.DataFrame], pd.DataFrame]
    list_of: Callable[[Worklist], Worklist] = lambda now: now


def show_menu(worklist: Worklist, filters: Filters, order: Order, count: int) -> None:
    """Download the whole filtered list, not just the page of it that is shown."""
    name = f"tasks-{_local(worklist, filters.facility_ids):%Y%m%d-%H%M}"
    description = f"{count:,} tasks as filtered and sorted now."

    def ask(listed: Listed) -> pd.DataFrame:
        return listed.rows(filters, order)

    def list_of(now: Worklist) -> Worklist:
        return now if worklist.state.at is None else time_travel.again(worklist)

    show(Export("Tasks", name, description, count, ask, spreadsheet.task_rows, list_of))


def show(export: Export) -> None:
    """The button, and behind it the two kinds of file."""
    with st.popover("Export", icon=":material/download:", disabled=export.count == 0):
        st.text(f"{export.description} The file names patients: your name is put on record.")
        for label, ending, mime, write, advice in (
            ("CSV", "csv", "text/csv", csv_files.csv_bytes, CSV_ADVICE),
            ("Excel", "xlsx", EXCEL, lambda rows: spreadsheet.excel_bytes(rows, export.kind), None),
        ):
            st.download_button(
                f"Download {label}",
                data=file_builder(export, ending, write),
                file_name=f"{export.name}.{ending}",
                mime=mime,
                key=f"export.{ending}",
                icon=":material/download:",
                on_click="ignore",
                help=advice,
                width="stretch",
            )


def _local(worklist: Worklist, facility_ids: Sequence[str]) -> dt.datetime:
    """Now on the clock of the list's (first) facility: at night UTC is a day ahead."""
    rows = worklist.facilities()
    ids = facility_ids or set(rows["facility_id"])
    zones = rows.loc[rows["facility_id"].isin(ids), "time_zone"].tolist()
    return local(worklist.at, zones[0] if zones else "UTC")


def file_builder(
    export: Export, ending: str, write: Callable[[pd.DataFrame], bytes]
) -> Callable[[], bytes]:
    """What builds the file after the click, in a thread without this session's state."""
    place, person = workspace.workspace(), workspace.person()
    facility_ids = workspace.visible_facilities()

    def build() -> bytes:
        at = clock.now(place.moved_by)
        by = Exporter(place.shared.ledger, person.staff_id, at)
        kind, file = export.kind.lower(), f"{export.name}.{ending}"
        with place.shared.at(at, facility_ids) as now:
            rows = patient_data.export(by, export.list_of(now), export.ask, kind, file)
        return write(export.head(rows))

    return build
