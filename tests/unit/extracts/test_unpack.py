"""A delivery that is packed: zips, workbooks, and what is wrong with them."""

from __future__ import annotations

import datetime as dt
import os
import stat
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from pipelines.errors import UserError
from pipelines.extracts import unpack


def _zip(path: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def _workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if value is not None:
                        sheet.write(number, column, value)
    return path


def _texts(path: Path) -> dict[str, str]:
    """The unpacked files by their path, hidden ones left out."""
    with unpack.unpacked(path) as folder:
        return {
            file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
            for file in sorted(folder.rglob("*"))
            if file.is_file() and not file.name.startswith(".")
        }


def test_a_folder_with_nothing_packed_is_itself(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("x")
    (tmp_path / "~$book.xlsx").write_text("the lock of an open workbook")
    with unpack.unpacked(tmp_path) as folder:
        assert folder == tmp_path
    with unpack.unpacked(tmp_path / "nowhere") as folder:
        assert folder == tmp_path / "nowhere"


def test_a_single_file_is_a_folder_of_it(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("x")
    assert _texts(tmp_path / "cases.csv") == {"cases.csv": "x"}


def test_what_is_unpacked_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    path = _zip(tmp_path / "d.zip", {"cases.csv": "x"})
    with unpack.unpacked(path) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert [entry.name for entry in folder.iterdir() if entry.is_dir()] == []
    assert not folder.exists()


def test_plain_files_beside_a_zip_are_links(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("x")
    (tmp_path / "payments").mkdir()
    (tmp_path / "payments" / "1.csv").write_text("y")
    _zip(tmp_path / "rest.zip", {"staff.csv": "z"})
    with unpack.unpacked(tmp_path) as folder:
        assert (folder / "cases.csv").resolve() == tmp_path / "cases.csv"
        assert (folder / "payments" / "1.csv").read_text() == "y"
        assert unpack.origin_of(folder / "cases.csv") is None
        assert unpack.origin_of(folder / "staff.csv") == "rest.zip, staff.csv"


def test_members_lose_their_folders_but_for_the_parts_of_a_table(tmp_path: Path) -> None:
    path = _zip(
        tmp_path / "d.zip",
        {
            "export/2026/Cases.csv": "a",
            "export\\staff.csv": "b",
            "export/Payments/1.csv": "c",
            "../../../etc/claims.csv": "d",
            "/payers.csv": "e",
            "__MACOSX/export/._Cases.csv": "junk",
            "export/.DS_Store": "junk",
            "export/~$book.xlsx": "junk",
            "export/..": "junk",
        },
    )
    assert _texts(path) == {
        "Cases.csv": "a",
        "staff.csv": "b",
        "payments/1.csv": "c",
        "claims.csv": "d",
        "payers.csv": "e",
    }


def test_a_workbook_in_a_zip_in_a_zip(tmp_path: Path) -> None:
    book = _workbook(tmp_path / "book.xlsx", {"Cases": [["case_id"], ["C1"]]})
    inner = _zip(tmp_path / "inner.zip", {"x/book.xlsx": book.read_bytes()})
    outer = _zip(tmp_path / "outer.zip", {"inner.zip": inner.read_bytes()})
    with unpack.unpacked(outer) as folder:
        assert (folder / "Cases.csv").read_text() == "case_id\nC1\n"
        origin = unpack.origin_of(folder / "Cases.csv")
    assert origin == "outer.zip, inner.zip, x/book.xlsx, sheet Cases"
    deeper = _zip(tmp_path / "deeper.zip", {"outer.zip": outer.read_bytes()})
    with pytest.raises(UserError, match="deeper.zip, outer.zip, inner.zip: is packed too deeply"):
        _texts(deeper)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        (
            {"a/cases.csv": "1", "b/Cases.csv": "2"},
            "d.zip, a/cases.csv and d.zip, b/Cases.csv have the same name; keep one of them",
        ),
    ],
)
def test_two_members_of_one_name_are_refused(
    tmp_path: Path, members: dict[str, bytes | str], says: str
) -> None:
    with pytest.raises(UserError) as refused:
        _texts(_zip(tmp_path / "d.zip", members))
    assert str(refused.value) == says


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    path = _zip(tmp_path / "d.zip", {"cases.csv": os.urandom(5000)})
    whole = path.read_bytes()
    for content in (whole[:2000], whole[:100] + b"????" + whole[104:], b"", b"no zip at all"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"d\.zip: is damaged or not whole"):
            _texts(path)


def test_an_encrypted_zip_is_named(tmp_path: Path) -> None:
    path = _zip(tmp_path / "d.zip", {"cases.csv": "x"})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag in the member's own header, and in the list of members
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"d\.zip: is encrypted; send it without a password"):
        _texts(path)


def test_a_zip_bomb_is_refused_by_the_bytes_that_come_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "ALWAYS_BYTES", 10_000)
    bomb = _zip(tmp_path / "bomb.zip", {"cases.csv": b"0" * 2_000_000})
    with pytest.raises(UserError, match=r"bomb\.zip: unpacks to more than a delivery can hold"):
        _texts(bomb)
    inner = _zip(tmp_path / "nested.zip", {"bomb.zip": bomb.read_bytes()})
    with pytest.raises(UserError, match="unpacks to more"):
        _texts(inner)
    monkeypatch.setattr(unpack, "MOST_MEMBERS", 2)
    many = _zip(tmp_path / "many.zip", {f"{n}.csv": "x" for n in range(3)})
    with unpack.unpacked(_zip(tmp_path / "two.zip", {"1.csv": "x", "2.csv": "y"})):
        pass
    with pytest.raises(UserError, match=r"many\.zip: unpacks to more"):
        _texts(many)


def test_no_room_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "SPARE_BYTES", 2**62)
    with pytest.raises(UserError, match=r"d\.zip: takes .* MB to unpack.*set TMPDIR"):
        _texts(_zip(tmp_path / "d.zip", {"cases.csv": "x"}))


def test_each_sheet_is_a_csv_whose_lines_are_its_rows(tmp_path: Path) -> None:
    day = dt.datetime.fromisoformat("2026-11-03")
    time = dt.datetime.fromisoformat("2026-11-03T09:15")
    path = _workbook(
        tmp_path / "book.xlsx",
        {
            "Patients": [
                ["Patients of the practice"],
                [],
                ["Patient ID", "name", None],
                [7.0, 'O’Brien, "Pat"', None],
                [],
                ["0042", "two\r\nlines", None],
            ],
            "Visits": [[day, time, True, False, 25.5, 0.1 + 0.2, -3, "7.0"]],
            "Empty": [],
            "Only formats": [[None]],
        },
    )
    assert _texts(path) == {
        "Patients.csv": "Patients of the practice,\n\n"
        'Patient ID,name\n7,"O’Brien, ""Pat"""\n\n0042,two lines\n',
        "Visits.csv": "2026-11-03,2026-11-03T09:15:00,TRUE,FALSE,25.5,0.3,-3,7.0\n",
    }
    with unpack.unpacked(path) as folder:
        assert unpack.origin_of(folder / "Visits.csv") == "book.xlsx, sheet Visits"


def test_an_error_of_a_cell_is_empty_and_a_long_number_a_damaged_id(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Cases")
        sheet.write_formula(0, 0, "=NA()", None, "#N/A")
        sheet.write_formula(0, 1, "=1/0", None, "#DIV/0!")
        sheet.write(0, 2, 937_000_000_000_000_000)
        sheet.write(0, 3, 937_000_000_000)
    assert _texts(path) == {"Cases.csv": ",,9.37e+17,937000000000\n"}


@pytest.mark.parametrize(
    ("book", "sheets", "files"),
    [
        ("Appointments.xlsx", ["Sheet1"], ["Appointments.csv"]),
        ("appointments.xlsx", ["qryAppts"], ["appointments.csv"]),
        ("November.xlsm", ["Claim Holds"], ["Claim Holds.csv"]),
        ("appointments.xlsx", ["Sheet1", "Sheet2"], ["Sheet1.csv", "Sheet2.csv"]),
    ],
)
def test_one_sheet_of_no_name_takes_the_workbooks(
    tmp_path: Path, book: str, sheets: list[str], files: list[str]
) -> None:
    path = _workbook(tmp_path / book, {name: [["x"]] for name in sheets})
    assert sorted(_texts(path)) == files


def test_a_workbook_that_is_none_is_named(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "book.xlsx", {"Cases": [["x"]]})
    for content in (path.read_bytes()[:3000], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(900)):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"book\.xlsx: is damaged or not whole"):
            _texts(path)
    path.write_bytes(b"\n <html><table>")
    with pytest.raises(UserError, match=r"book\.xlsx: is a web page under the name of a workbook"):
        _texts(path)


def test_a_text_that_is_called_xls_is_text(tmp_path: Path) -> None:
    (tmp_path / "Cases.xls").write_text("case_id\tpatient_id\nC1\tP1\n")
    assert _texts(tmp_path / "Cases.xls") == {"Cases.txt": "case_id\tpatient_id\nC1\tP1\n"}


def test_a_workbook_of_huge_sheets_is_refused_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "ALWAYS_BYTES", 1)
    monkeypatch.setattr(unpack, "MOST_TIMES", 1)
    path = _workbook(tmp_path / "book.xlsx", {"Cases": [["x" * 30_000]] * 10})
    with pytest.raises(UserError, match=r"book\.xlsx: unpacks to more than a delivery can hold"):
        _texts(path)


def test_parts_of_a_table_may_be_packed(tmp_path: Path) -> None:
    (tmp_path / "payments").mkdir()
    (tmp_path / "payments" / "1.csv").write_text("a")
    _zip(tmp_path / "payments" / "2.zip", {"2.csv": "b"})
    with unpack.unpacked(tmp_path) as folder:
        assert (folder / "payments" / "1.csv").read_text() == "a"
        assert (folder / "payments" / "2.csv").read_text() == "b"
        assert unpack.origin_of(folder / "payments" / "2.csv") == "payments/2.zip, 2.csv"
