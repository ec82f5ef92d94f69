"""Deliveries as they come: dated names, zips, workbooks, and all of them mixed."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import duckdb
import pytest
import xlsxwriter

from pipelines import settings
from pipelines.errors import UserError
from pipelines.extracts import folder as extracts_folder
from pipelines.extracts import read
from pipelines.extracts.outcome import TableRead
from pipelines.operations import arrivals
from tests.conftest import Workbench
from tests.practice import Practice

HEADER = "survey_id,case_id,kind,completed_at\n"
ROW = "S1,C1,MIPS,2026-11-01\n"


def _surveys(path: Path, tmp_path: Path) -> tuple[TableRead, list[tuple[object, ...]]]:
    """The outcome for surveys, and the refused rows by file and line."""
    con = duckdb.connect()
    with extracts_folder.opened(path) as found:
        outcomes = read.read(con, found, {}, tmp_path / "rejected")
    refused = con.execute("SELECT file, line, column_name, check_name FROM extract.refused_rows")
    return outcomes[-1], refused.fetchall()


def _zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.iterdir()):
            packed.write(file, f"export/{file.name}")
    return path


def _workbook(folder: Path, path: Path) -> Path:
    """Every CSV of the folder as a sheet."""
    with xlsxwriter.Workbook(path, {"strings_to_numbers": True}) as book:
        for file in sorted(folder.iterdir()):
            sheet = book.add_worksheet(file.stem.replace("_", " ").title())
            with file.open(newline="", encoding="utf-8") as opened:
                for number, row in enumerate(csv.reader(opened)):
                    sheet.write_row(number, 0, row)
    return path


@pytest.mark.parametrize("kind", ["folder", "zip", "workbook", "zip in folder", "mixed"])
def test_every_kind_of_delivery_makes_the_same_tasks(
    workbench: Workbench, practice: Practice, tmp_path: Path, kind: str
) -> None:
    practice.patient("A").visit("7", "A", "2026-10-30T09:00:00", amount_due="40.00")
    practice.payment("P1", "A", "2026-10-30", "15.50")
    folder = practice.write(tmp_path / "plain", None)
    if kind == "zip":
        folder = _zipped(folder, tmp_path / "delivery.zip")
    elif kind == "workbook":
        folder = _workbook(folder, tmp_path / "delivery.xlsx")
    elif kind == "zip in folder":
        (tmp_path / "in").mkdir()
        _zipped(folder, tmp_path / "in" / "delivery.zip")
        folder = tmp_path / "in"
    elif kind == "mixed":
        (tmp_path / "rest").mkdir()
        for name in ("payments.csv", "cases.csv"):
            (folder / name).rename(tmp_path / "rest" / name)
        _workbook(tmp_path / "rest", folder / "rest.xlsx")
    workbench.run(folder, 1)
    assert workbench.one(1, "uncollected_payments", "7")["amount"] == 24.5
    last = arrivals.last_run(settings.load({"WORKBENCH_DATA": str(workbench.data)}))
    assert last is not None and last.folder == folder


def test_a_refused_row_of_a_workbook_is_named_by_sheet_and_row(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Surveys")
        rows = ["Surveys of the practice", "", HEADER.strip(), ROW.strip(), "", "S2,C1,MIPS,soon"]
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row.split(","))
    outcome, refused = _surveys(path, tmp_path)
    assert (outcome.status, outcome.files) == ("accepted", ("book.xlsx, sheet Surveys",))
    assert refused == [("book.xlsx, sheet Surveys", 6, "completed_at", "moment")]


def test_messages_name_the_member_of_a_zip(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "Surveys.csv").write_text(HEADER.replace("kind", "sort") + ROW)
    outcome, _ = _surveys(_zipped(tmp_path / "plain", tmp_path / "d.zip"), tmp_path)
    assert outcome.reason == "d.zip, export/Surveys.csv has no column kind"


def test_a_message_never_names_the_temporary_folder(tmp_path: Path) -> None:
    for member, says in [
        ("letter.csv", f"no extract table found in {tmp_path / 'd.zip'}"),
        ("manifest.csv", "d.zip, export/manifest.csv, line 2, column extracted_at: moment"),
    ]:
        folder = tmp_path / member
        folder.mkdir()
        (folder / "surveys.tsv").write_text("") if member == "manifest.csv" else None
        (folder / member).write_text("table,extracted_at,row_count,complete\nsurveys,soon,,true\n")
        path = _zipped(folder, tmp_path / "d.zip")
        with pytest.raises(UserError) as refused, extracts_folder.opened(path):
            pass
        assert says in str(refused.value)
        assert "workbench-" not in str(refused.value)


def test_a_dated_file_is_its_table(tmp_path: Path) -> None:
    (tmp_path / "Surveys 11-02-2026.csv").write_text(HEADER + ROW)
    found = extracts_folder.find(tmp_path)
    assert list(found.files) == ["surveys"]
    assert found.notes == ()


def test_of_dated_files_those_of_the_newest_day_are_read(tmp_path: Path) -> None:
    for name in ("surveys_20261101", "surveys_20261102", "cases_20261101", "2026-11-02_cases"):
        (tmp_path / f"{name}.csv").write_text(HEADER)
    (tmp_path / "faxes_20261101.csv").write_text(HEADER)
    found = extracts_folder.find(tmp_path)
    assert {table: file.name for table, (file,) in found.files.items()} == {
        "cases": "2026-11-02_cases.csv",
        "surveys": "surveys_20261102.csv",
    }
    older = "is older than the newest day, 2026-11-02, and is ignored"
    assert set(found.notes) == {
        f"{name}_20261101.csv {older}" for name in ("cases", "faxes", "surveys")
    }


@pytest.mark.parametrize(
    "others",
    [["surveys.csv"], ["surveys_20261101.csv", "cases.csv"], ["2026-11-02 surveys.tsv"]],
)
def test_two_files_of_a_table_are_refused_unless_every_file_has_a_day(
    tmp_path: Path, others: list[str]
) -> None:
    for name in ("surveys_20261102.csv", *others):
        (tmp_path / name).write_text(HEADER)
    with pytest.raises(UserError, match="both hold the table surveys; keep one of them"):
        extracts_folder.find(tmp_path)


def test_a_manifest_may_spell_a_table_as_its_file(tmp_path: Path) -> None:
    (tmp_path / "surveys.csv").write_text(HEADER)
    path = tmp_path / "Manifest_20261102.csv"
    head = "table,extracted_at,row_count,complete,horizon_on\n"
    path.write_text(head + "Surveys.csv,2026-11-03,1,yes,\nCLAIM HOLDS,2026-11-03,,yes,\n")
    assert sorted(extracts_folder.find(tmp_path).manifest) == ["claim_holds", "surveys"]
    path.write_text(head + "Surveys.csv,2026-11-03,1,yes,\nsurveys,2026-11-03,,yes,\n")
    with pytest.raises(UserError, match="has two rows for surveys; correct the manifest"):
        extracts_folder.find(tmp_path)


def test_folders_named_month_first_are_sorted_by_day(tmp_path: Path) -> None:
    for name in ("01022027", "12312026", "2026-12-30", "other"):
        (tmp_path / name).mkdir()
    with zipfile.ZipFile(tmp_path / "01012027.zip", "w") as packed:
        packed.writestr("surveys.csv", HEADER)
    found = [folder.name for folder in extracts_folder.dated_folders(tmp_path)]
    assert found == ["2026-12-30", "12312026", "01012027.zip", "01022027"]
    assert extracts_folder.moment_of(tmp_path / "01012027.zip").isoformat() == (
        "2027-01-01T12:00:00+00:00"
    )
    (tmp_path / "31122026").mkdir()
    with pytest.raises(UserError, match="31122026: starts like a day"):
        extracts_folder.dated_folders(tmp_path)


def test_the_newest_of_month_first_folders_is_run(
    workbench: Workbench, practice: Practice, tmp_path: Path
) -> None:
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    practice.write(tmp_path / "12312026", None)
    practice.payment("P1", "A", "2026-10-30", "40.00").write(tmp_path / "01022027", None)
    assert workbench.command("run", "--extracts", tmp_path)[0] == 0
    assert arrivals.folders(tmp_path)[-1].name == "01022027"
    assert workbench.states(1, "uncollected_payments") == {}


def test_a_watch_sees_zips_as_deliveries(practice: Practice, tmp_path: Path) -> None:
    plain = practice.write(tmp_path / "plain", None)
    (tmp_path / "in").mkdir()
    for name in ("2026-11-01.zip", "2026-11-02.zip"):
        _zipped(plain, tmp_path / "in" / name)
    found = arrivals.folders(tmp_path / "in")
    assert [folder.name for folder in found] == ["2026-11-01.zip", "2026-11-02.zip"]
    delivery = arrivals.look(found[-1], frozenset({"cases"}))
    assert (delivery.missing, [file[0] for file in delivery.files]) == (None, ["2026-11-02.zip"])
    found[-1].write_bytes(found[-1].read_bytes()[:500])
    missing = arrivals.look(found[-1]).missing
    assert missing is not None and "2026-11-02.zip: is damaged or not whole" in missing


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere: no such folder"):
        arrivals.folders(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no extract table found"):
        arrivals.folders(tmp_path)
