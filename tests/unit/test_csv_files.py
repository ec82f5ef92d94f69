"""CSV for people: hostile texts stay text, ids stay as they are, numbers and days stay bare."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from decimal import Decimal

import pandas as pd
import pytest

from pipelines import csv_files
from pipelines.settings import ROOT

FORMULAS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example")',
    "+1 617 555 0100",
    "-2+3",
    "-12.50",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0\ufeff=1",
    "\0=1",
    "\uff1d1+1",  # a wide equals sign
)
CHANGED = (  # Excel or LibreOffice shows, and saves, another value
    "00123",
    "4e17187521177362",
    "1E5",
    "1,5e-3",
    "1234567890123456",  # the last digit becomes 0
    "7.10",
    "1,000",
    "$40.00",
    "50%",
    "(5)",
    "1/2",
    "10-11",
    "2026-11-02",
    "11/02/26",
    "2026-11-02T09:30:00-05:00",
    "9:30",
    "9:30 PM",
    "9 a",
    "MAR1",
    "1-Mar",
    "Nov 2, 2026",
    "2 September 2026",
    "true",
    "FALSE",
    " 00123 ",
    "１２",
)
KEPT = (
    "",
    "plain",
    "Müller, Zoë 李 😀",
    'says "call back", twice',
    "one\ntwo\r\nthree",
    "a;b\tc",
    "{=1+1}",
    "http://a.example",
    " spaced ",
    "a=1",
    "0",
    "42",
    "123456789012345",
    "P00123",
    "1T",
    "a4e17",
    "M54.5",
    "May",
    "Mary 1",
    "...",
    "$25.00 of $40.00 copay unpaid",
)
AMOUNT = r"-?[0-9]+(?:\.[0-9]{2})?"


def cells(content: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content, newline="")))


def written(rows: pd.DataFrame, **plain: str) -> list[list[str]]:
    content = csv_files.csv_bytes(rows, plain)
    assert content.startswith(b"\xef\xbb\xbf"), (
        "Excel takes a file without a mark for the machine's own encoding"
    )
    return cells(content.decode("utf-8-sig"))[1:]


@pytest.mark.parametrize("text", [*FORMULAS, *CHANGED])
@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_what_a_spreadsheet_would_run_or_change_gets_an_apostrophe(text: str, dtype: str) -> None:
    rows = pd.DataFrame(
        {"One": pd.Series([text, "plain", None], dtype=dtype), "Two": ["x " + text, text, "y"]}
    )
    assert written(rows) == [["'" + text, "x " + text], ["plain", "'" + text], ["", "y"]]


@pytest.mark.parametrize("text", KEPT)
def test_any_other_text_is_written_as_it_is(text: str) -> None:
    assert csv_files.protected(text) == text


def test_one_apostrophe_taken_off_gives_every_text_back() -> None:
    texts = [*FORMULAS, *CHANGED, *KEPT, "'", "'00123", "''", "'t Hooft"]
    rows = pd.DataFrame({"One": texts, "Two": texts[::-1]})
    read = [[cell.removeprefix("'") for cell in row] for row in written(rows)]
    assert read == [list(pair) for pair in zip(texts, texts[::-1], strict=True)]


def test_numbers_days_and_flags_stay_bare() -> None:
    rows = pd.DataFrame(
        {
            "Amount": [Decimal("-12.50"), None],
            "Age": [-3, 0],
            "Share": [-0.5, 1.0],
            "Since": [dt.date(2026, 11, 2), None],
            "Returns": pd.to_datetime(["2026-11-04 03:00:00", None]),
            "Overdue": [True, False],
            "Number": pd.Series([1, None], dtype="object"),
        }
    )
    assert written(rows) == [
        ["-12.50", "-3", "-0.5", "2026-11-02", "2026-11-04 03:00:00", "True", "1"],
        ["", "0", "1.0", "", "", "False", ""],
    ]


def test_a_column_of_numbers_that_came_as_text_keeps_its_numbers_only() -> None:
    rows = pd.DataFrame({"amount": ["-12.50", "-2+3", "1e5", "40.00"], "id": ["-12.50"] * 4})
    assert [row[0] for row in written(rows, amount=AMOUNT)] == ["-12.50", "'-2+3", "'1e5", "40.00"]
    assert {row[1] for row in written(rows, amount=AMOUNT)} == {"'-12.50"}


def test_standard_output_has_no_mark_and_writes_other_values_as_asked() -> None:
    rows = pd.DataFrame({"id": ["00123", "=1"], "on": [dt.date(2026, 11, 2), None]})
    text = csv_files.csv_text(
        rows, lambda value: f"{value:%d.%m.%Y}" if isinstance(value, dt.date) else value
    )
    assert text == "id,on\n'00123,02.11.2026\n'=1,\n"


def test_a_long_text_costs_little() -> None:
    """Each of these would take minutes if the search tried every place of every blank."""
    for text in (" " * 10**6 + "x", "9" * 10**6 + "x", "nov" + " " * 10**6 + "x"):
        assert csv_files.protected(text) == text


# Files that machines read: (file, what it writes).
FOR_MACHINES = {
    "pipelines/bench/compare/plain_pandas.py": "what a benchmark compares",
    "pipelines/bench/honest_events.py": "extracts of a benchmark",
    "pipelines/extracts/files.py": "a clean copy of an extract, read at once",
    "pipelines/sample/files.py": "extracts of `sample`",
    "pipelines/extracts/unpack.py": "the sheets of a workbook, read at once",
    "pipelines/sources/writing.py": "extracts of `import`",
    "pipelines/bench/imports.py": "an export of a benchmark",
}
WRITES = re.compile(r"to_csv\(|csv\.(?:writer|DictWriter)\(|\(FORMAT csv")


def test_nothing_else_writes_csv_for_people() -> None:
    writers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("pipelines", "app_pages")
        for path in (ROOT / folder).rglob("*.py")
        if WRITES.search(path.read_text(encoding="utf-8"))
    }
    assert writers == {*FOR_MACHINES, "pipelines/csv_files.py"}
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        parts = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        assert not WRITES.search("".join(line for part in parts for line in part["source"]))
