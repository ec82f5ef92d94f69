"""A list as a file: what it says survives, and nothing in an Excel file is a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from pipelines import csv_files, settings
from pipelines.reports import spreadsheet
from pipelines.runs import run
from pipelines.worklist.actions import ActionRequest, act
from pipelines.worklist.columns import EXPORTED
from pipelines.worklist.filters import Filters
from pipelines.worklist.live import LiveWorklist
from tests.conftest import Workbench
from tests.practice import Practice
from tests.unit.test_csv_files import CHANGED, FORMULAS, KEPT

EXCEL_BEGAN = dt.date(1899, 12, 30)  # day 0 of an Excel date
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


class Sheet:
    """The one sheet of a workbook, its cells as (type, value) by row; a style marks dates."""

    def __init__(self, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            assert book.testzip() is None
            self.xml = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
            shared = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
            styles = ElementTree.fromstring(book.read("xl/styles.xml"))
        self.texts = [
            "".join(part.text or "" for part in item.iter(f"{SHEET}t")) for item in shared
        ]
        self.formats = {
            form.get("numFmtId"): form.get("formatCode") for form in styles.iter(f"{SHEET}numFmt")
        }
        self.styles = [
            self.formats.get(style.get("numFmtId")) for style in styles.find(f"{SHEET}cellXfs")
        ]
        found = [
            {cell.get("r").rstrip("0123456789"): self.value(cell) for cell in row}
            for row in self.xml.iter(f"{SHEET}row")
        ]
        self.rows = [
            [row.get(letter) for letter in found[0]] for row in found
        ]  # cells without a value are left out

    def value(self, cell: ElementTree.Element) -> object:
        written, kind = cell.findtext(f"{SHEET}v"), cell.get("t", "n")
        if written is None:
            return None
        if kind == "s":
            return self.texts[int(written)].replace("_x000D_", "\r")
        if kind == "b":
            return written == "1"
        form = (self.styles[int(cell.get("s", "0"))] or "").lower()
        if "hh" in form:
            return dt.datetime.combine(EXCEL_BEGAN, dt.time()) + dt.timedelta(
                seconds=round(float(written) * 86_400)
            )
        return (
            EXCEL_BEGAN + dt.timedelta(days=int(written))
            if form == "yyyy-mm-dd"
            else Decimal(written)
        )

    def column(self, name: str) -> list[object]:
        """What is below a heading."""
        place = self.rows[0].index(name)
        return [row[place] for row in self.rows[1:]]


def test_negative_numbers_stay_numbers() -> None:
    rows = pd.DataFrame(
        {"Amount": [Decimal("-12.50"), None], "Age (days)": [-3, 0], "Share": [-0.5, 1.0]}
    )
    sheet = Sheet(spreadsheet.excel_bytes(rows, "Tasks"))
    assert sheet.rows[1:] == [[Decimal("-12.50"), -3, Decimal("-0.5")], [None, 0, 1]]


def test_an_excel_sheet_has_texts_and_no_formula() -> None:
    texts = [text for text in (*FORMULAS, *CHANGED, *KEPT) if text and "\0" not in text]
    sheet = Sheet(spreadsheet.excel_bytes(pd.DataFrame({"Reason": texts}), "Tasks"))
    assert sheet.column("Reason") == texts
    assert list(sheet.xml.iter(f"{SHEET}f")) == []
    assert list(sheet.xml.iter(f"{SHEET}hyperlink")) == []


def test_the_head_of_a_sheet_stays_and_filters() -> None:
    sheet = Sheet(
        spreadsheet.excel_bytes(pd.DataFrame({"One": ["a", "b"], "Two": [1, 2]}), "Tasks")
    )
    pane = next(sheet.xml.iter(f"{SHEET}pane"))
    assert (pane.get("state"), pane.get("ySplit"), pane.get("xSplit"), pane.get("topLeftCell")) == (
        "frozen",
        "1",
        None,
        "A2",
    )
    assert sheet.xml.find(f"{SHEET}autoFilter").get("ref") == "A1:B3"


@pytest.fixture
def listed(workbench: Workbench, practice: Practice) -> pd.DataFrame:
    """A's task of $40.00 by a hostile name is deferred, B's waits at a facility in another zone."""
    practice.add("facilities", "F2", name="West, Clinic", time_zone="America/Los_Angeles")
    practice.patient("A", last_name="=Doe", first_name='Pat "P"').visit(
        "V1", "A", "2026-10-30T09:00:00", amount_due="40.00"
    )
    practice.patient("B", facility_id="F2").add("cases", "C-B", facility_id="F2")
    practice.visit("V2", "B", "2026-10-20T09:00:00", amount_due="5.00", facility_id="F2")
    run.run(settings.load(), practice.write(workbench.extracts, workbench.day(1)), workbench.day(1))
    shared, wanted = (
        LiveWorklist(settings.load()),
        Filters("open", rule_ids=("uncollected_payments",)),
    )
    with shared.at(workbench.day(1)) as before:
        for task_id in before.tasks(wanted)["task_id"]:
            act(
                before,
                shared.ledger,
                "S1",
                ActionRequest(task_id, "defer", span=dt.timedelta(days=2)),
            )
    with shared.at(workbench.day(1)) as after:
        return after.tasks(wanted)


def test_a_list_keeps_its_dates_amounts_and_clinic_times(listed: pd.DataFrame) -> None:
    rows = spreadsheet.task_rows(listed)
    assert list(rows.columns) == list(EXPORTED)
    sheet = Sheet(spreadsheet.excel_bytes(rows, "Tasks"))
    assert list(sheet.xml.iter(f"{SHEET}f")) == []
    expected = {
        "Task id": listed["task_id"].tolist(),
        "Task": ["Uncollected Payments"] * 2,
        "Patient": ["Doe, Pat", '=Doe, Pat "P"'],
        "Facility": ["West, Clinic", "North Clinic"],
        "Since": [dt.date(2026, 10, 20), dt.date(2026, 10, 30)],
        "Due": [dt.date(2026, 10, 27), dt.date(2026, 11, 6)],
        "Age (days)": [13, 3],
        "Overdue": [True, False],
        "Status": ["deferred"] * 2,
        # 11:00 UTC two days on, by the wall clock of each facility.
        "Returns": [dt.datetime.fromisoformat(f"2026-11-04T{hour}:00") for hour in ("03", "06")],
        "Amount": [Decimal("5.00"), Decimal("40.00")],
        "Reason": listed["reason"].tolist(),
    }
    assert {name: sheet.column(name) for name in expected} == expected
    head, first, second = read_csv(csv_files.csv_bytes(rows))
    written = [dict(zip(head, row, strict=True)) for row in (first, second)]
    assert [row["Patient"] for row in written] == ["Doe, Pat", '\'=Doe, Pat "P"']
    assert [(row["Since"], row["Returns"], row["Amount"], row["Overdue"]) for row in written] == [
        ("2026-10-20", "2026-11-04 03:00:00", "5.00", "True"),
        ("2026-10-30", "2026-11-04 06:00:00", "40.00", "False"),
    ]


def test_a_column_without_any_value_and_a_list_without_any_task(
    listed: pd.DataFrame, tmp_path: Path
) -> None:
    nothing = listed.assign(
        returns_at=pd.NaT, amount=None, payer=pd.Series([None, None], dtype="str")
    )
    sheet = Sheet(spreadsheet.excel_bytes(spreadsheet.task_rows(nothing), "Tasks"))
    assert [sheet.column(name) for name in ("Task", "Returns", "Amount", "Payer")] == [
        ["Uncollected Payments"] * 2,
        *[[None, None]] * 3,
    ]
    empty = spreadsheet.task_rows(listed.head(0))
    assert Sheet(spreadsheet.excel_bytes(empty, "Tasks")).rows == [list(EXPORTED)]
    assert read_csv(csv_files.csv_bytes(empty)) == [list(EXPORTED)]
