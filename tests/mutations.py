"""Damage to extract folders, as by hand, by a spreadsheet or by a copy that broke off."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Callable
from pathlib import Path

from pipelines.extracts import contract

Rows = list[list[str]]

VALUES = (
    "",
    " ",
    "None",
    "0001-01-01",
    "1899-12-31",
    "1900-01-01",
    "1970-01-01",
    "2026-02-30",
    "9999-12-31",
    "2199-12-31T23:59:59-14:00",
    "1900-01-01T00:00:00+14:00",
    "1e308",
    "NaN",
    "-0.01",
    "-0",
    "9999999999.99",
    "99999999999",
    "999999999",
    "9.37E+12",
    "true",
    "Active",
    "active",
    "NOBODY",
    "\x00",
    "a\nb",
    'a"b',
    "'; DROP TABLE tasks --",
    "é",
    "\u202e",
    "x" * 5000,
)


def _row(rows: Rows, choose: random.Random) -> int:
    return choose.randrange(1, len(rows))


def _cell(rows: Rows, choose: random.Random) -> None:
    rows[_row(rows, choose)][choose.randrange(len(rows[0]))] = choose.choice(VALUES)


def _column(rows: Rows, choose: random.Random) -> None:
    place, value = choose.randrange(len(rows[0])), choose.choice(VALUES)
    for row in rows[1:]:
        if choose.random() < 0.5:
            row[place] = value


def _swap(rows: Rows, choose: random.Random) -> None:
    one, other, place = _row(rows, choose), _row(rows, choose), choose.randrange(len(rows[0]))
    rows[one][place], rows[other][place] = rows[other][place], rows[one][place]


def _repeat(rows: Rows, choose: random.Random) -> None:
    rows.append([*rows[_row(rows, choose)]])


def _repeat_changed(rows: Rows, choose: random.Random) -> None:
    rows.append([*rows[_row(rows, choose)]])
    rows[-1][choose.randrange(1, len(rows[0]))] = choose.choice(VALUES)


def _orphan(rows: Rows, choose: random.Random) -> None:
    references = [place for place, name in enumerate(rows[0]) if name.endswith("_id")]
    if references:  # earlier damage may have renamed or dropped them
        rows[_row(rows, choose)][choose.choice(references)] = "NOBODY"


def _drop(rows: Rows, choose: random.Random) -> None:
    del rows[_row(rows, choose)]


def _drop_many(rows: Rows, choose: random.Random) -> None:
    rows[1:] = [row for row in rows[1:] if choose.random() < 0.7]


def _shuffle(rows: Rows, choose: random.Random) -> None:
    body = rows[1:]
    choose.shuffle(body)
    rows[1:] = body


def _shuffle_columns(rows: Rows, choose: random.Random) -> None:
    order = list(range(len(rows[0])))
    choose.shuffle(order)
    rows[:] = [[row[place] for place in order] for row in rows]


def _rename_column(rows: Rows, choose: random.Random) -> None:
    rows[0][choose.randrange(len(rows[0]))] += "_x"


def _drop_column(rows: Rows, choose: random.Random) -> None:
    place = choose.randrange(len(rows[0]))
    rows[:] = [row[:place] + row[place + 1 :] for row in rows]


def _long_row(rows: Rows, choose: random.Random) -> None:
    rows[_row(rows, choose)].append("more")


def _short_row(rows: Rows, choose: random.Random) -> None:
    del rows[_row(rows, choose)][-1]


def _no_rows(rows: Rows, choose: random.Random) -> None:
    del rows[1:]


IN_ROWS: dict[str, Callable[[Rows, random.Random], None]] = {
    function.__name__.strip("_"): function
    for function in (
        _cell,
        _column,
        _swap,
        _repeat,
        _repeat_changed,
        _orphan,
        _drop,
        _drop_many,
        _shuffle,
        _shuffle_columns,
        _rename_column,
        _drop_column,
        _long_row,
        _short_row,
        _no_rows,
    )
}
IN_BYTES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "cut": lambda data, choose: data[: choose.randrange(len(data))],
    "cut_last_line_end": lambda data, choose: data.rstrip(b"\n"),
    "empty": lambda data, choose: b"",
    "bom": lambda data, choose: b"\xef\xbb\xbf" + data,
    "latin_1": lambda data, choose: data.decode().encode("latin-1", "replace"),
    "utf_16": lambda data, choose: data.decode().encode("utf-16"),
    "crlf": lambda data, choose: data.replace(b"\n", b"\r\n"),
    "cr": lambda data, choose: data.replace(b"\n", b"\r"),
    "semicolons": lambda data, choose: data.replace(b",", b";"),
    "tabs": lambda data, choose: data.replace(b",", b"\t"),
    "open_quote": lambda data, choose: _inserted(data, b'"', choose),
    "comma": lambda data, choose: _inserted(data, b",", choose),
    "nul": lambda data, choose: _inserted(data, b"\x00", choose),
    "not_utf_8": lambda data, choose: _inserted(data, b"\xff\xfe", choose),
    "line_end": lambda data, choose: _inserted(data, b"\n", choose),
    "gz_inside_csv": lambda data, choose: gzip.compress(data, mtime=0),
    "twice": lambda data, choose: data + data,
}
OTHERS = (
    "missing",
    "gz",
    "cut_gz",
    "manifest_more",
    "manifest_fewer",
    "manifest_incomplete",
    "manifest_uncounted",
    "no_manifest",
    "manifest_old",
)
KINDS = (*IN_ROWS, *IN_BYTES, *OTHERS)


def _inserted(data: bytes, piece: bytes, choose: random.Random) -> bytes:
    place = choose.randrange(len(data))
    return data[:place] + piece + data[place:]


def damage(folder: Path, kind: str, table: str, seed: int) -> None:
    """Do one kind of damage to a table of a folder of CSV extracts, the same for the same seed.

    A file that is missing or empty stays as it is.
    """
    choose, path = random.Random(seed), folder / f"{table}.csv"
    if kind == "no_manifest":
        (folder / "manifest.csv").unlink(missing_ok=True)
    elif kind.startswith("manifest_"):
        _damage_manifest(folder / "manifest.csv", kind, table)
    elif not path.exists() or not path.read_bytes():
        return
    elif kind == "missing":
        path.unlink()
    elif kind in ("gz", "cut_gz"):
        data = gzip.compress(path.read_bytes(), mtime=0)
        path.with_name(f"{table}.csv.gz").write_bytes(
            data if kind == "gz" else data[: choose.randrange(len(data))]
        )
        path.unlink()
    elif kind in IN_BYTES:
        try:
            path.write_bytes(IN_BYTES[kind](path.read_bytes(), choose))
        except UnicodeDecodeError:
            return
    else:
        rows = rows_of(path)
        # Another delimiter leaves one column.
        if rows is not None and len(rows) > 1 and len(rows[0]) > 1:
            IN_ROWS[kind](rows, choose)
            with open(path, "w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)


def rows_of(path: Path) -> Rows | None:
    """The records of a CSV file; None when they differ in width or Python cannot read them."""
    try:
        rows = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline=""), strict=True))
    except (csv.Error, UnicodeDecodeError, FileNotFoundError):
        return None
    return rows if rows and all(len(row) == len(rows[0]) for row in rows) else None


def _damage_manifest(path: Path, kind: str, table: str) -> None:
    rows = rows_of(path) if path.exists() else None
    if rows is None:
        return
    for row in rows[1:]:
        if row[0] == table:
            place, value = {
                "manifest_more": (2, str(int(row[2] or 0) + 1)),
                "manifest_fewer": (2, "0"),
                "manifest_incomplete": (3, "false"),
                "manifest_uncounted": (2, ""),
                "manifest_old": (1, "2020-01-01T00:00:00+00:00"),
            }[kind]
            row[place] = value
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


TABLES = tuple(contract.TABLES)
