"""Export of the filtered list: made when it is asked for, and written to the access record with every patient it names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import streamlit as st

from app_pages.ui import clock, workspace
from app_pages.ui.task_actions import local
from pipelines import exports
from pipelines.ledger import Access
from pipelines.worklist import Filters, Order, Worklist

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def show_menu(worklist: Worklist, filters: Filters, order: Order, count: int) -> None:
    """Download the whole filtered list, not just the page of it that is shown."""
    with st.popover("Export", icon=":material/download:", disabled=count == 0):
        st.text(f"{count:,} tasks as filtered and sorted now. The file holds patients' names: it is noted under yours.")
        name = f"tasks-{_local(worklist, filters):%Y%m%d-%H%M}"
        for label, ending, mime, write in (
            ("CSV", "csv", "text/csv", exports.csv_bytes),
            ("Excel", "xlsx", EXCEL, lambda rows: exports.excel_bytes(rows, "Tasks")),
        ):
            st.download_button(
                f"Download {label}",
                data=_maker(filters, order, f"{name}.{ending}", write),
                file_name=f"{name}.{ending}",
                mime=mime,
                key=f"export.{ending}",
                icon=":material/download:",
                on_click="ignore",
                width="stretch",
            )


def _local(worklist: Worklist, filters: Filters) -> dt.datetime:
    """Now, as the clocks of the list's (first) clinic show it: at night it is tomorrow in UTC."""
    rows = worklist.facilities()
    zones = rows.loc[rows["facility_id"].isin(filters.facility_ids or set(rows["facility_id"])), "time_zone"]
    return local(worklist.at, "UTC" if zones.empty else zones.iloc[0])


def _maker(filters: Filters, order: Order, name: str, write: Callable[..., bytes]) -> Callable[[], bytes]:
    """What makes the file once it is clicked, in a thread that knows nothing of the session."""
    place, person = workspace.workspace(), workspace.person()
    moved_by = place.moved_by

    def make() -> bytes:
        at = clock.now(moved_by)
        with place.shared.at(at) as worklist:
            tasks = worklist.tasks(filters, order)
        # First the record, then the file: no export goes unnoted.
        detail = f"{name}, {len(tasks):,} tasks"
        place.shared.book.record_accesses(
            [
                Access(at=at, staff_id=person.staff_id, patient_id=patient, kind="export", detail=detail)
                for patient in sorted(set(tasks["patient_id"]))
            ]
        )
        return write(exports.task_rows(tasks))

    return make
