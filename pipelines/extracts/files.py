"""Load one extract file (CSV or Parquet) into DuckDB.

A valid file is read by DuckDB in one pass. One that DuckDB cannot read is sorted into records in
Python: whole records are loaded, broken ones are kept with their line.
"""

from __future__ import annotations

import csv
import gzip
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.extracts import contract, contract_sql
from pipelines.extracts.contract_sql import Source, SourceColumn
from pipelines.extracts.encodings import (
    UTF_8,
    encoding_of,
    is_gzip,
    open_text,
    quick_encoding,
)
from pipelines.extracts.records import (
    FileRefused,
    Layout,
    Record,
    SortedRecords,
    broken_fields,
    ends_with_footer,
    layout_from,
    layout_of,
    records,
)
from pipelines.sql_files import literal

PATTERN_CHARACTERS = "*?[]"  # DuckDB reads a path with these as a pattern
# Errors of DuckDB itself or of our SQL, not of the file.
NOT_THE_FILE = (
    duckdb.FatalException,
    duckdb.OutOfMemoryException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
)

Lines = NDArray[np.int64]


class LinesUnknown(Exception):
    """DuckDB and Python count different records, so the file must be read record by record."""


class BrokenRecord(NamedTuple):
    """A record that is no row: its line, the check it fails, its texts by contract column."""

    line: int
    check: str
    texts: dict[str, str]


@dataclass(frozen=True)
class Part:
    """A loaded file: its rows are `rows` rows of the table from rowid `first_row` on.

    `broken` has the columns line, check and those of the contract, as far as each record reaches.
    `lines` has the physical line of each loaded row; None until `lines_of` finds them.
    """

    path: Path
    layout: Layout
    first_row: int
    rows: int
    broken: pd.DataFrame
    lines: Lines | None
    is_cut_short: bool = False


def load(
    con: duckdb.DuckDBPyConnection, table: str, path: Path, *, by_record: bool = False
) -> Part:
    """Append the file to extract.<table>; `by_record` reads a text file in Python from the start.

    FileRefused when the file cannot be used at all, OSError when it cannot be opened.
    """
    if path.stat().st_size == 0:
        raise FileRefused("is empty (0 bytes)")
    if is_parquet(path):
        return _load_parquet(con, table, path)
    try:
        layout = layout_of(path, table)
        is_utf_8 = quick_encoding(path) == UTF_8
        if is_utf_8 and not by_record and not ends_with_footer(path, layout.delimiter):
            first_row = _row_count(con, table)
            try:
                _insert_csv(con, table, path, layout)
                _check_gzip(path)
                rows = _row_count(con, table) - first_row
                return Part(path, layout, first_row, rows, _broken_frame(table, []), None)
            except duckdb.Error:
                pass  # a failed INSERT leaves no rows; reading by record finds what is wrong
        return _load_by_record(con, table, path, layout)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise FileRefused("is damaged: it cannot be unpacked to its end") from None


def stage_valid(
    con: duckdb.DuckDBPyConnection,
    table: str,
    path: Path,
    accepted: Set[str],
    stage: Callable[[str | None], None],
) -> Layout | None:
    """Call `stage` with a SELECT of the file's typed rows; it fails at the first doubtful one.

    A text file without rows is staged with None: planning the SELECT takes longest.

    None when the file is not valid. The caller checks what `contract_sql.valid_select` leaves out.
    """
    try:
        with name_without_pattern(path) as name:
            if is_parquet(path):
                layout, source = _from_parquet(con, table, name)
            else:
                layout = layout_of(path, table)
                source = _from_csv(name, layout)
            select = contract_sql.valid_select(table, source, accepted)
            stage(None if layout.is_empty else select)
        _check_gzip(path)
    except NOT_THE_FILE:
        raise
    except (FileRefused, OSError, EOFError, zlib.error, duckdb.Error):
        return None
    return layout


def rows_in(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Count the records of a file that is refused unread; 0 when even that fails."""
    try:
        if is_parquet(path):
            sql = "SELECT count(*) FROM read_parquet($path)"
            return con.execute(sql, {"path": str(path)}).fetchall()[0][0]
        with open_text(path, quick_encoding(path)) as lines:
            return max(0, sum(1 for _ in records(lines, ",")) - 1)
    except (OSError, EOFError, zlib.error, duckdb.Error):
        return 0


def lines_of(part: Part) -> Lines:
    """The physical line of each row of the part; the header is line 1.

    LinesUnknown if DuckDB found other records than Python finds.
    """
    if part.lines is not None:
        return part.lines
    with open_text(part.path, UTF_8) as lines:
        # Blank lines and line breaks inside quotes make lines and rows differ.
        all_records = records(lines, part.layout.delimiter, part.layout.titles)
        numbers = (record.line for record in all_records)
        found = np.fromiter(numbers, dtype=np.int64)[1:]
    if len(found) != part.rows:
        raise LinesUnknown(part.path)
    return found


def is_parquet(path: Path) -> bool:
    """True for a Parquet file, by its name."""
    return path.name.lower().endswith(".parquet")


@contextmanager
def name_without_pattern(path: Path) -> Iterator[str]:
    """A name for the file that DuckDB does not take for a pattern: the path itself, or a link."""
    if not set(PATTERN_CHARACTERS) & set(str(path)):
        yield str(path)
        return
    plain = path.name.translate(str.maketrans(PATTERN_CHARACTERS, "____"))
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / ("file" + "".join(Path(plain).suffixes[-2:]).lower())
        os.symlink(path.resolve(), link)
        yield str(link)


def _insert_csv(con: duckdb.DuckDBPyConnection, table: str, path: Path, layout: Layout) -> None:
    with name_without_pattern(path) as name:
        select = contract_sql.typed_select(table, _from_csv(name, layout))
        con.execute(f"INSERT INTO extract.{table} {select}")


def _from_csv(name: str, layout: Layout) -> Source:
    types = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(layout.width))
    relation = (
        f"read_csv({literal(name)}, auto_detect = false, delim = {literal(layout.delimiter)}, "
        f"quote = '\"', escape = '\"', header = true, "
        f"skip = {layout.titles}, columns = {{{types}}})"
    )
    columns = {
        column: SourceColumn(f"c{position}", "VARCHAR")
        for column, position in layout.positions.items()
    }
    return Source(relation, columns)


def _from_parquet(con: duckdb.DuckDBPyConnection, table: str, name: str) -> tuple[Layout, Source]:
    relation = f"read_parquet({literal(name)})"
    described = con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    layout = layout_from(table, "", [row[0] for row in described])
    columns = {
        column: SourceColumn(*described[position][:2])
        for column, position in layout.positions.items()
    }
    return layout, Source(relation, columns)


def _load_parquet(con: duckdb.DuckDBPyConnection, table: str, path: Path) -> Part:
    first_row = _row_count(con, table)
    with name_without_pattern(path) as name:
        try:
            layout, source = _from_parquet(con, table, name)
            con.execute(f"INSERT INTO extract.{table} {contract_sql.typed_select(table, source)}")
        except duckdb.Error:
            raise FileRefused("is damaged or no Parquet file") from None
    rows = _row_count(con, table) - first_row
    lines = np.arange(1, rows + 1, dtype=np.int64)
    return Part(path, layout, first_row, rows, _broken_frame(table, []), lines)


def _load_by_record(con: duckdb.DuckDBPyConnection, table: str, path: Path, layout: Layout) -> Part:
    """Load whole records through a clean file; keep broken ones with their line."""
    first_row = _row_count(con, table)
    sorted_ = SortedRecords(layout.width)
    places = layout.positions.values()
    with tempfile.TemporaryDirectory() as folder, open_text(path, encoding_of(path)) as source:
        clean = Path(folder) / "clean.csv"
        with clean.open("w", encoding="utf-8", newline="") as target:
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(layout.positions)
            found = records(source, layout.delimiter, layout.titles)
            next(found, None)  # the header
            for record in sorted_.whole(found):
                fields = record.fields or []
                writer.writerow([fields[place] for place in places])
        names = tuple(layout.positions)
        in_order = Layout(",", {name: i for i, name in enumerate(names)}, len(names), ())
        _insert_csv(con, table, clean, in_order)
    rows = _row_count(con, table) - first_row
    if rows != len(sorted_.lines):
        raise FileRefused("cannot be read as a table: its records cannot be told apart")
    return Part(
        path,
        replace(layout, footers=len(sorted_.footers), replaced=tuple(sorted_.replaced)),
        first_row,
        rows,
        _broken_frame(table, [_broken(record, layout) for record in sorted_.broken]),
        np.array(sorted_.lines, dtype=np.int64),
        is_cut_short=sorted_.ends_inside_a_row,
    )


def _broken(record: Record, layout: Layout) -> BrokenRecord:
    """A broken record with its texts by position; surplus fields are joined to the last one."""
    check, fields = broken_fields(record, layout.delimiter)
    if len(fields) > layout.width:
        fields = [*fields[: layout.width - 1], layout.delimiter.join(fields[layout.width - 1 :])]
    texts = {name: fields[i] if i < len(fields) else "" for name, i in layout.positions.items()}
    return BrokenRecord(record.line, check, texts)


def _broken_frame(table: str, broken: list[BrokenRecord]) -> pd.DataFrame:
    names = [column.name for column in contract.columns(table)]
    rows = [
        [record.line, record.check, *(record.texts.get(name, "") for name in names)]
        for record in broken
    ]
    return pd.DataFrame(rows, columns=["line", "check", *names])


def _check_gzip(path: Path) -> None:
    """Read a gzip file to its end: DuckDB does not compare the checksum there, Python does."""
    if is_gzip(path):
        with gzip.open(path) as packed:
            while packed.read(2**22):
                pass


def _row_count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return con.execute(f"SELECT count(*) FROM extract.{table}").fetchall()[0][0]
