"""A list as rows to export, and as an Excel file, in which texts stay texts.

The CSV of the same rows is written by `pipelines.csv_files`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import pandas as pd

from pipelines.worklist.columns import EXPORTED

# Heading → column of records.schedule_week; shares of the target, and of the visits scheduled.
SCHEDULE_COLUMNS = {
    "Patient": "patient",
    "Patient id": "patient_id",
    "Case": "case_id",
    "Therapist": "therapist",
    "Target": "target",
    "Scheduled": "scheduled",
    "Scheduled share": "scheduled_share",
    "Completed": "completed",
    "Completed share": "completed_share",
    "Cancelled": "cancelled",
    "Cancelled share": "cancelled_share",
    "No show": "no_show",
    "No show share": "no_show_share",
    "Under-scheduled": "is_under_scheduled",
    "Reminders": "reminders",
}


def task_rows(tasks: pd.DataFrame) -> pd.DataFrame:
    """The exported columns of Worklist.tasks under their headings; times are the facility's."""
    return pd.DataFrame({heading: tasks[column] for heading, column in EXPORTED.items()})


def schedule_rows(cases: pd.DataFrame) -> pd.DataFrame:
    """The rows of records.schedule_week under the headings of SCHEDULE_COLUMNS."""
    return pd.DataFrame({heading: cases[column] for heading, column in SCHEDULE_COLUMNS.items()})


def excel_bytes(rows: pd.DataFrame, sheet: str) -> bytes:
    """One sheet, its head frozen and filterable; texts stay texts."""
    return workbook_bytes({sheet: rows})


def workbook_bytes(sheets: Mapping[str, pd.DataFrame]) -> bytes:
    """Several sheets of that kind, by their names; times must be without a zone."""
    target = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with pd.ExcelWriter(
        target, engine="xlsxwriter", engine_kwargs={"options": options}, date_format="yyyy-mm-dd"
    ) as writer:
        for sheet, rows in sheets.items():
            rows.to_excel(writer, sheet_name=sheet, index=False)
            page = writer.sheets[sheet]
            page.freeze_panes(1, 0)
            page.autofilter(0, 0, max(len(rows), 1), len(rows.columns) - 1)
            for number, name in enumerate(rows.columns):
                longest = max(
                    (len(str(value)) for value in rows[name].head(200).dropna()), default=0
                )
                page.set_column(number, number, min(60, max(len(name), longest) + 2))
    return target.getvalue()
