"""Read one extract file (CSV or Parquet) into DuckDB: fast where the file is sound, record by record where it is not."""

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
import io
import os
import tempfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from pipelines.extracts import contract, contract_sql
from pipelines.sql_files import literal

DELIMITERS = (",", ";", "\t", "|")
LONGEST_RECORD = 50  # lines; a quote still open after that was never meant to open
SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".parquet")
csv.field_size_limit(2**24)


class FileRefused(Exception):
    """The file as a whole cannot be used; the message says why in half a sentence, without values."""


class LinesUnknown(Exception):
    """DuckDB and Python count different records in the file, so it has to be read record by record."""


@dataclass(frozen=True)
class Layout:
    """How a file's columns lie: where each agreed column stands, how many there are, and which nobody asked for."""

    delimiter: str
    positions: dict[str, int]
    width: int
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One file as loaded: its rows stand in the table from `first_row` on; `broken` holds records no table can take.

    `lines` gives the physical line of each loaded row; None stands for row + 2 (the header is line 1) and has to be proved by `lines_of`.
    `broken` has the columns line, check and the agreed columns, as far as the record reaches.
    """

    path: Path
    layout: Layout
    first_row: int
    rows: int
    broken: pd.DataFrame
    lines: np.ndarray | None
    is_cut_short: bool = False


def load(
    con: duckdb.DuckDBPyConnection, table: str, path: Path, *, is_careful: bool = False
) -> Part:
    """Append the file to extract.<table>; FileRefused when it cannot be used at all, OSError when it cannot be opened."""
    if path.stat().st_size == 0:
        raise FileRefused("is empty (0 bytes)")
    first_row = _count(con, table)
    if path.name.lower().endswith(".parquet"):
        return _load_parquet(con, table, path, first_row)
    try:
        layout = layout_of(path, table)
        if not is_careful:
            try:
                _insert_csv(con, table, path, layout)
                _check_gzip(path)
                return Part(
                    path, layout, first_row, _count(con, table) - first_row, _no_broken(table), None
                )
            except duckdb.Error:
                pass  # a failed INSERT leaves nothing behind; what is wrong, and where, the careful reading finds out
        return _load_carefully(con, table, path, layout, first_row)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise FileRefused("is damaged: it cannot be unpacked to its end") from None


def stage_sound(
    con: duckdb.DuckDBPyConnection,
    table: str,
    path: Path,
    readable: set[str],
    stage: Callable[[str], None],
) -> Layout | None:
    """Call `stage` with a SELECT of the file's typed rows that fails at the first suspect one; None where the file is not sound.

    See judging.sound for what is left to prove.
    """
    try:
        if path.name.lower().endswith(".parquet"):
            with _plain_name(path) as name:
                layout, sources, rows = _from_parquet(con, table, name)
                stage(contract_sql.sound(table, sources, rows, readable))
        else:
            layout = layout_of(path, table)
            with _plain_name(path) as name:
                stage(contract_sql.sound(table, *_from_csv(name, layout), readable))
            _check_gzip(path)
    except (
        duckdb.FatalException,
        duckdb.OutOfMemoryException,
        duckdb.BinderException,
        duckdb.CatalogException,
        duckdb.ParserException,
    ):
        raise  # these do not speak of the file
    except (FileRefused, OSError, EOFError, zlib.error, duckdb.Error):
        return None
    return layout


def layout_of(path: Path, table: str) -> Layout:
    """Read the header: the delimiter is the one that shows the most agreed columns."""
    with open_text(
        path, "latin-1"
    ) as lines:  # every byte is a character here, so a strange one further down does no harm
        raw = next((line for line in lines if line.strip()), "").encode("latin-1")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FileRefused("is written in UTF-16; save it as UTF-8")
    first = raw.decode("utf-8-sig", errors="replace")
    guesses = [next(csv.reader([first], delimiter=delimiter), []) for delimiter in DELIMITERS]
    wanted = {column.name for column in contract.columns(table)}
    best = max(
        range(len(DELIMITERS)),
        key=lambda i: len(wanted & {name.strip().lower() for name in guesses[i]}),
    )
    return _layout(table, DELIMITERS[best], guesses[best])


def _layout(table: str, delimiter: str, header: list[str]) -> Layout:
    names = [name.strip().lower() for name in header]
    wanted = [column.name for column in contract.columns(table)]
    unknown = tuple(name for name in names if name not in wanted)
    for name in wanted:
        if names.count(name) > 1:
            raise FileRefused(f"has the column {name} {names.count(name)} times")
        if name not in names:
            # A file without a header has a patient's values in its first line: only a line that is mostly header is quoted.
            is_header = 2 * len(set(wanted) & set(names)) >= len(wanted)
            close = difflib.get_close_matches(name, unknown, n=1, cutoff=0.6) if is_header else []
            raise FileRefused(
                f"has no column {name}"
                + (f" (did you mean its column {close[0]}?)" if close else "")
            )
    return Layout(delimiter, {name: names.index(name) for name in wanted}, len(names), unknown)


def encoding_of(path: Path) -> str:
    """UTF-8 if every byte of the file agrees with it, else Latin-1, which any byte agrees with."""
    with open_text(path, "utf-8") as text:
        try:
            while text.read(2**20):
                pass
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8-sig"


def open_text(path: Path, encoding: str) -> io.TextIOWrapper:
    """Open a plain or gzipped text file, line ends kept as they are."""
    is_packed = path.name.lower().endswith(".gz")
    return io.TextIOWrapper(
        gzip.open(path) if is_packed else open(path, "rb"), encoding=encoding, newline=""
    )


def records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str] | None, str]]:
    """Give (physical line, fields, the line itself) for each record; fields None where a quote opens and never closes. Blank lines are none."""
    number, waiting = 0, deque()
    while line := waiting.popleft() if waiting else next(lines, ""):
        number += 1
        if not line.strip("\r\n"):
            continue
        if '"' not in line:
            yield number, line.rstrip("\r\n").split(delimiter), line
            continue
        taken: list[str] = []
        try:
            fields = next(
                csv.reader(
                    chain([line], _taken(waiting, lines, taken)), delimiter=delimiter, strict=True
                )
            )
        except csv.Error:
            waiting.extendleft(reversed(taken))
            yield number, None, line
        else:
            yield number, fields, line
            number += len(taken)


def _taken(waiting: deque[str], lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    """Hand out the lines a record may go on with, and note them: they are given back if it never closes."""
    while len(taken) < LONGEST_RECORD - 1 and (
        line := waiting.popleft() if waiting else next(lines, "")
    ):
        taken.append(line)
        yield line


def rows_in(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Count the records of a file that is not going to be read, as far as it can be."""
    try:
        if path.name.lower().endswith(".parquet"):
            return con.execute(
                "SELECT count(*) FROM read_parquet($path)", {"path": str(path)}
            ).fetchone()[0]
        with open_text(path, "latin-1") as lines:
            return max(0, sum(1 for _ in records(lines, ",")) - 1)
    except (OSError, EOFError, zlib.error, duckdb.Error):
        return 0


def lines_of(part: Part) -> np.ndarray:
    """Physical line of each row of the part; LinesUnknown if DuckDB's records are not those that Python finds."""
    if part.lines is not None:
        return part.lines
    with open_text(part.path, "utf-8-sig") as lines:
        # Blank lines and line breaks inside quotes cannot be told from a count of lines, so the records themselves are asked.
        found = np.fromiter(
            (number for number, _, _ in records(lines, part.layout.delimiter)), dtype=np.int64
        )[1:]
    if len(found) != part.rows:
        raise LinesUnknown(part.path)
    return found


def _insert_csv(con: duckdb.DuckDBPyConnection, table: str, path: Path, layout: Layout) -> None:
    with _plain_name(path) as name:
        con.execute(
            f"INSERT INTO extract.{table} {contract_sql.typed(table, *_from_csv(name, layout))}"
        )


def _from_csv(name: str, layout: Layout) -> tuple[dict[str, tuple[str, str]], str]:
    """The agreed columns as a CSV file has them, and what reads its rows."""
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(layout.width))
    sources = {name: (f"c{position}", "VARCHAR") for name, position in layout.positions.items()}
    given = f"{literal(name)}, auto_detect = false, delim = {literal(layout.delimiter)}"
    return (
        sources,
        f"""read_csv({given}, quote = '"', escape = '"', header = true, columns = {{{columns}}})""",
    )


class _plain_name:
    """DuckDB takes *, ? and [ in a path for a pattern; such a file is read through a link with a plain name."""

    def __init__(self, path: Path) -> None:
        self.path, self.folder = path, None

    def __enter__(self) -> str:
        if not set("*?[]") & set(str(self.path)):
            return str(self.path)
        self.folder = tempfile.TemporaryDirectory()
        link = Path(self.folder.name) / (
            "file"
            + "".join(
                Path(self.path.name.translate(str.maketrans("*?[]", "____"))).suffixes[-2:]
            ).lower()
        )
        os.symlink(self.path.resolve(), link)
        return str(link)

    def __exit__(self, *_: object) -> None:
        if self.folder is not None:
            self.folder.cleanup()


def _load_carefully(
    con: duckdb.DuckDBPyConnection, table: str, path: Path, layout: Layout, first_row: int
) -> Part:
    """Sort the records by hand: sound ones go to DuckDB through a clean file, broken ones are kept with their line."""
    lines: list[int] = []
    broken: list[list[object]] = []
    is_header, is_whole, line = True, True, ""
    with tempfile.TemporaryDirectory() as folder, open_text(path, encoding_of(path)) as source:
        clean = Path(folder) / "clean.csv"
        with clean.open("w", encoding="utf-8", newline="") as target:
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(layout.positions)
            for number, fields, line in records(source, layout.delimiter):
                if is_header:
                    is_header = False
                    continue
                is_whole = fields is not None and len(fields) >= layout.width
                if fields is not None and (
                    len(fields) == layout.width
                    or (len(fields) == layout.width + 1 and not fields[-1])
                ):
                    lines.append(number)
                    writer.writerow([fields[position] for position in layout.positions.values()])
                else:
                    broken.append(
                        [
                            number,
                            "unterminated_quote" if fields is None else "field_count",
                            *_by_place(fields, line, layout),
                        ]
                    )
        is_cut_short = not is_whole and not line.endswith(("\n", "\r"))
        _insert_csv(
            con,
            table,
            clean,
            Layout(
                ",", {name: i for i, name in enumerate(layout.positions)}, len(layout.positions), ()
            ),
        )
    rows = _count(con, table) - first_row
    if rows != len(lines):
        raise FileRefused("cannot be read as a table: its records cannot be told apart")
    return Part(
        path,
        layout,
        first_row,
        rows,
        _no_broken(table, broken),
        np.array(lines, dtype=np.int64),
        is_cut_short,
    )


def _by_place(fields: list[str] | None, line: str, layout: Layout) -> list[str]:
    """The agreed columns of a broken record, by place, as far as it reaches; what is left over stays with the last place."""
    fields = line.rstrip("\r\n").split(layout.delimiter) if fields is None else fields
    if len(fields) > layout.width:
        fields = [*fields[: layout.width - 1], layout.delimiter.join(fields[layout.width - 1 :])]
    return [
        fields[position] if position < len(fields) else "" for position in layout.positions.values()
    ]


def _load_parquet(con: duckdb.DuckDBPyConnection, table: str, path: Path, first_row: int) -> Part:
    with _plain_name(path) as name:
        try:
            layout, sources, rows = _from_parquet(con, table, name)
            con.execute(f"INSERT INTO extract.{table} {contract_sql.typed(table, sources, rows)}")
        except duckdb.Error:
            raise FileRefused("is damaged or no Parquet file") from None
    rows = _count(con, table) - first_row
    return Part(
        path, layout, first_row, rows, _no_broken(table), np.arange(1, rows + 1, dtype=np.int64)
    )


def _from_parquet(
    con: duckdb.DuckDBPyConnection, table: str, name: str
) -> tuple[Layout, dict[str, tuple[str, str]], str]:
    rows = f"read_parquet({literal(name)})"
    described = con.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
    layout = _layout(table, "", [row[0] for row in described])
    return (
        layout,
        {
            column: (described[position][0], described[position][1])
            for column, position in layout.positions.items()
        },
        rows,
    )


def _check_gzip(path: Path) -> None:
    """DuckDB does not compare the checksum at a gzip file's end; Python does."""
    if path.name.lower().endswith(".gz"):
        with gzip.open(path) as packed:
            while packed.read(2**22):
                pass


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return con.execute(f"SELECT count(*) FROM extract.{table}").fetchone()[0]


def _no_broken(table: str, rows: list[list[object]] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        rows or [], columns=["line", "check", *(column.name for column in contract.columns(table))]
    )
