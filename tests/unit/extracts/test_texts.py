"""Text files whose columns nobody knows."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest

from pipelines.extracts import texts
from pipelines.extracts.records import FileRefused

Rows = list[tuple[object, ...]]
HEADER = "Patient ID,Patient Name,Amount\n"
ROWS = "7,Ana,$25.00\n8,Ben,\n"
READ: Rows = [("7", "Ana", "$25.00", 2), ("8", "Ben", None, 3)]


def _load(path: Path, content: bytes | str) -> tuple[texts.TextFile, Rows]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    con = duckdb.connect()
    con.execute("CREATE SCHEMA source")
    file = texts.load_texts(con, 'source."The File"', path)
    rows = con.execute('FROM source."The File" ORDER BY _line').fetchall()
    described = con.execute('DESCRIBE source."The File"').fetchall()
    assert [row[:2] for row in described] == [
        *((name, "VARCHAR") for name in file.columns),
        ("_line", "BIGINT"),
    ]
    assert file.rows == len(rows)
    return file, rows


@pytest.mark.parametrize(
    ("name", "content", "above"),
    [
        ("a.csv", HEADER + ROWS, 0),
        ("a.csv", (HEADER + ROWS).replace("\n", "\r\n"), 0),
        ("a.tsv", (HEADER + ROWS).replace(",", "\t"), 0),
        ("a.txt", (HEADER + ROWS).replace(",", "|"), 0),
        ("a.txt", ("sep=;\n" + HEADER + ROWS).replace(",", ";"), 1),
        ("a.csv", ("\ufeffsep=,\r\n" + HEADER + ROWS), 1),
        ("a.csv", "Patients of the practice,,\nPrinted on,11/02/2026,\n\n" + HEADER + ROWS, 3),
        ("a.csv", "Patients\n" + HEADER + ROWS, 1),
        ("a.csv", "\n\n" + HEADER + ROWS, 2),
        ("a.csv.gz", gzip.compress((HEADER + ROWS).encode(), mtime=0), 0),
        ("a.csv", (HEADER + ROWS).encode("utf-16"), 0),
        ("a.csv", (HEADER + ROWS).encode("utf-16-le"), 0),
        ("a.csv", HEADER + ROWS + "Total,,$25.00\n(2 rows affected)\n", 0),
        ("a.csv", HEADER + ROWS.replace("\n", ",\n"), 0),  # an empty field more in each row
        ("a[b]*.csv", HEADER + ROWS, 0),
    ],
)
def test_every_variant_has_the_same_rows(
    tmp_path: Path, name: str, content: bytes | str, above: int
) -> None:
    file, rows = _load(tmp_path / name, content)
    assert file.columns == ("Patient ID", "Patient Name", "Amount")
    assert file.header_line == above + 1
    assert rows == [(*row[:3], int(str(row[3])) + above) for row in READ]
    assert file.broken == ()


def test_windows_letters_are_kept_and_fast(tmp_path: Path) -> None:
    file, rows = _load(tmp_path / "a.csv", "id,name\n1,O’Brien\n".encode("cp1252"))
    assert (file.encoding, rows) == ("cp1252", [("1", "O’Brien", 2)])


def test_broken_records_are_kept_apart_and_stop_nothing(tmp_path: Path) -> None:
    note = "\n".join("a line" for _ in range(90))
    text = f'id,note,day\n1,"{note}",x\n2,short\n\n3,"stray,x\n4,y,z\n5,y,z,more\n6,y,z\n'
    file, rows = _load(tmp_path / "a.csv", text)
    assert [(row[0], row[-1]) for row in rows] == [("1", 2), ("4", 95), ("6", 97)]
    assert [broken[:3] for broken in file.broken] == [
        (92, "field_count", 2),
        (94, "unterminated_quote", 3),
        (96, "field_count", 4),
    ]
    assert "stray" not in repr(file)
    assert file.broken[1].texts == ("3", '"stray', "x")


def test_lines_are_physical_where_notes_span_several(tmp_path: Path) -> None:
    file, rows = _load(tmp_path / "a.csv", 'id,note\n1,"two\nlines"\n\n2,x\n')
    assert rows == [("1", "two\nlines", 2), ("2", "x", 5)]
    assert file.broken == ()


def test_a_stray_byte_is_named_by_its_line(tmp_path: Path) -> None:
    file, rows = _load(tmp_path / "a.csv", "id,name\n1,é\n2,".encode() + b"\xe9\n3,x\n")
    assert (file.encoding, file.replaced) == ("utf-8-sig", (3,))
    assert [row[1] for row in rows] == ["é", "\ufffd", "x"]


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("id,Name,name,NAME", ("id", "Name", "name_2", "NAME_3")),
        ("id,name,x, ", ("id", "name", "x", "column_4")),
        ("id,,name,x", ("id", "column_2", "name", "x")),
        ("_line,_LINE_2,_Line,x", ("_line_2", "_LINE_2_2", "_Line_3", "x")),
        ('id,"a ""b""",c\'d,x', ("id", 'a "b"', "c'd", "x")),
    ],
)
def test_every_column_has_a_name_of_its_own(
    tmp_path: Path, header: str, columns: tuple[str, ...]
) -> None:
    file, rows = _load(tmp_path / "a.csv", f"{header}\n1,a,b,c\n2,,,\n")
    assert file.columns == columns
    assert rows == [("1", "a", "b", "c", 2), ("2", None, None, None, 3)]


def test_a_header_and_nothing_below(tmp_path: Path) -> None:
    for text in (HEADER, HEADER.rstrip(), "sep=,\n" + HEADER):
        file, rows = _load(tmp_path / "a.csv", text)
        assert (file.columns, rows) == (("Patient ID", "Patient Name", "Amount"), [])


def test_one_column(tmp_path: Path) -> None:
    assert _load(tmp_path / "a.csv", "id\n1\n2\n")[1] == [("1", 2), ("2", 3)]


def test_the_delimiter_is_the_one_of_most_fields_also_in_a_ragged_file(tmp_path: Path) -> None:
    rows = "".join(f"{n}\tLast, First\t1\t2\n" for n in range(20)) + "20\tLast, First\n" * 3
    file, found = _load(tmp_path / "a.txt", "id\tname\tx\ty\n" + rows)
    assert (file.delimiter, len(found), len(file.broken)) == ("\t", 20, 3)


def test_a_delimiter_within_quotes_is_none(tmp_path: Path) -> None:
    php = '"a:2:{s:4:""freq"";s:1:""2"";s:6:""exdate"";s:0:"""";}"'
    file, rows = _load(tmp_path / "a.csv", "id,spec,day\n" + f"1,{php},x\n" * 5)
    assert (file.delimiter, file.columns) == (",", ("id", "spec", "day"))
    assert {row[1] for row in rows} == {'a:2:{s:4:"freq";s:1:"2";s:6:"exdate";s:0:"";}'}


def test_a_file_cut_short_says_so(tmp_path: Path) -> None:
    assert _load(tmp_path / "a.csv", HEADER + "7,Ana,1\n8,Be")[0].is_cut_short
    assert not _load(tmp_path / "a.csv", HEADER + "7,Ana,1\n8,Be\n")[0].is_cut_short


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n \n", "is empty: it has blank lines only"),
        ("a.csv", b"sep=,\n", "is empty but for its sep= line"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00", "is no text file"),
        ("a.csv.gz", gzip.compress(b"id\n" * 500, mtime=0)[:-9], "is damaged"),
        ("a.csv.gz", b"id,name\n1,x\n", "is damaged"),
    ],
)
def test_only_what_is_no_text_is_refused(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    with pytest.raises(FileRefused, match=says):
        _load(tmp_path / name, content)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be read: No such file"):
        texts.load_texts(duckdb.connect(), "x", tmp_path / "nowhere.csv")
