"""Export of a list: made when it is asked for, and written to the access record with every patient it names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app_pages.session import clock, workspace
from app_pages.session.times import local
from app_pages.url import time_travel
from pipelines.ledger.accesses import Access
from pipelines.reports import spreadsheet
from pipelines.worklist.filters import Filters, Order
from pipelines.worklist.worklist import Worklist

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Export:
    """A list to download: the file's name without its ending, what it holds in words, and how its rows are asked and headed."""

    what: str
    name: str
    said: str
    count: int
    ask: Callable[[Worklist], pd.DataFrame]  # with a column patient_id: whom it names
    head: Callable[[pd.DataFrame], pd.DataFrame]


def show_menu(worklist: Worklist, filters: Filters, order: Order, count: int) -> None:
    """Download the whole filtered list, not just the page of it that is shown."""
    name = f"tasks-{_local(worklist, filters.facility_ids):%Y%m%d-%H%M}"
    said = f"{count:,} tasks as filtered and sorted now."

    def ask(now: Worklist) -> pd.DataFrame:
        then = now if worklist.state.at is None else time_travel.again(worklist)
        return then.tasks(filters, order)

    show(Export("Tasks", name, said, count, ask, spreadsheet.task_rows))


def show(export: Export) -> None:
    """The button, and behind it the two kinds of file."""
    with st.popover("Export", icon=":material/download:", disabled=export.count == 0):
        st.text(f"{export.said} The file holds patients' names: it is noted under yours.")
        for label, ending, mime, write in (
            ("CSV", "csv", "text/csv", spreadsheet.csv_bytes),
            ("Excel", "xlsx", EXCEL, lambda rows: spreadsheet.excel_bytes(rows, export.what)),
        ):
            st.download_button(
                f"Download {label}",
                data=_maker(export, ending, write),
                file_name=f"{export.name}.{ending}",
                mime=mime,
                key=f"export.{ending}",
                icon=":material/download:",
                on_click="ignore",
                width="stretch",
            )


def _local(worklist: Worklist, facility_ids: Sequence[str]) -> dt.datetime:
    """Now, as the clocks of the list's (first) facility show it: at night it is tomorrow in UTC."""
    rows = worklist.facilities()
    zones = rows.loc[
        rows["facility_id"].isin(facility_ids or set(rows["facility_id"])), "time_zone"
    ]
    return local(worklist.at, "UTC" if zones.empty else zones.iloc[0])


def _maker(
    export: Export, ending: str, write: Callable[[pd.DataFrame], bytes]
) -> Callable[[], bytes]:
    """What makes the file once it is clicked, in a thread that knows nothing of the session."""
    place, person, facility_ids = (
        workspace.workspace(),
        workspace.person(),
        workspace.visible_facilities(),
    )
    moved_by = place.moved_by

    def make() -> bytes:
        at = clock.now(moved_by)
        with place.shared.at(at, facility_ids) as worklist:
            rows = export.ask(worklist)
        # First the record, then the file: no export goes unnoted.
        detail = f"{export.name}.{ending}, {len(rows):,} {export.what.lower()}"
        place.shared.ledger.record_accesses(
            [
                Access(
                    at=at,
                    staff_id=person.staff_id,
                    patient_id=patient,
                    kind="export",
                    detail=detail,
                )
                for patient in sorted(set(rows["patient_id"]))
            ]
        )
        return write(export.head(rows))

    return make
