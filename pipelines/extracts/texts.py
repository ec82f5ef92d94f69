"""Load a delimited text file whose columns nobody knows: all texts, with the line of each record.

A clean file is read by DuckDB in one pass. Any other is sorted into records in Python: whole ones
are loaded, broken ones are kept apart and stop nothing.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import re
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.extracts.encodings import (
    REPLACED,
    UTF_8,
    encoding_of,
    is_gzip,
    open_text,
)
from pipelines.extracts.files import name_without_pattern
from pipelines.extracts.records import (
    DELIMITERS,
    MOST_TITLES,
    FileRefused,
    Record,
    SortedRecords,
    broken_fields,
    ends_with_footer,
    records,
)
from pipelines.sql_files import identifier, literal

SAMPLE = 60  # records that show the delimiter and the header
BATCH = 20_000  # records written to DuckDB at a time
LINE = "_line"
# A value, and so no name of a column: a number, an amount, a day or a time.
VALUE = re.compile(
    r"[-+($]*[0-9][0-9,.%)]*|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}.*|[0-9]{1,2}:[0-9]{2}.*"
)
# A whole quoted value: what looks like a delimiter within it is none.
QUOTED = re.compile(r'(?<![^,;\t|])"(?:[^"]|"")*"(?=[,;\t|\r\n]|$)')
SEP_LINE = re.compile(r'"?sep=(.)"?[,;|\t]*', re.IGNORECASE)


class BrokenText(NamedTuple):
    """A record that is no row: its line, the check it fails, and how many fields it has.

    `texts` are its fields as far as they can be told apart; no message may hold them.
    """

    line: int
    check: str
    fields: int
    texts: tuple[str, ...]

    def __repr__(self) -> str:
        return f"BrokenText(line={self.line}, check={self.check!r}, fields={self.fields})"


@dataclass(frozen=True)
class TextFile:
    """A loaded file: its columns in order, its rows, and what was left out.

    `header_line` is the physical line of the header, `footers` the lines below the rows that count
    or total them, `replaced` the lines of rows with bytes that are no letters, read as \ufffd.
    """

    path: Path
    columns: tuple[str, ...]
    rows: int
    delimiter: str
    encoding: str
    header_line: int
    broken: tuple[BrokenText, ...] = ()
    footers: int = 0
    replaced: tuple[int, ...] = ()
    is_cut_short: bool = False


def load_texts(
    con: duckdb.DuckDBPyConnection, relation: str, path: Path, delimiter: str | None = None
) -> TextFile:
    """Create the table `relation` (a SQL name, quoted where it must be) from a text file.

    Its columns are the header's names, trimmed, all VARCHAR with NULL for empty values, and
    `_line`, the physical line on which the record starts. A repeated name gets _2, an empty one
    becomes column_7. FileRefused for a file that is empty, binary or cannot be opened.
    """
    try:
        if path.stat().st_size == 0:
            raise FileRefused("is empty (0 bytes)")
        encoding = encoding_of(path)
        header = _header_of(path, encoding, delimiter)
        file = TextFile(
            path, header.columns, 0, header.delimiter, encoding, header_line=header.titles + 1
        )
        with _as_utf_8(path, encoding) as readable:
            loaded = _load_fast(con, relation, readable, file) if readable else None
        return loaded or _load_by_record(con, relation, file)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise FileRefused("is damaged: it cannot be unpacked to its end") from None
    except PermissionError:
        raise FileRefused("cannot be opened: no permission to read it") from None
    except OSError as error:
        raise FileRefused(f"cannot be read: {error.strerror or 'the file is damaged'}") from None


class _Header(NamedTuple):
    delimiter: str
    columns: tuple[str, ...]
    titles: int  # lines above it


def _header_of(path: Path, encoding: str, delimiter: str | None) -> _Header:
    with open_text(path, encoding) as lines:
        start = list(itertools.islice(lines, SAMPLE))
    if any("\x00" in line for line in start):
        raise FileRefused("is no text file")
    blank = sum(1 for _ in itertools.takewhile(lambda line: not line.strip(), start))
    start = start[blank:]
    if not start:
        raise FileRefused("is empty: it has blank lines only")
    stated = SEP_LINE.fullmatch(start[0].strip("\r\n "))
    if stated is not None:
        delimiter, start, blank = delimiter or stated[1], start[1:], blank + 1
        if not start:
            raise FileRefused("is empty but for its sep= line")
    delimiter = delimiter or _delimiter_of(start)
    rows = [record for record in records(iter(start), delimiter) if record.fields is not None]
    header = _header_record(rows)
    if header is None:  # a quote opens on its line and does not close
        header = Record(1, start[0].rstrip("\r\n").split(delimiter), start[0])
    return _Header(delimiter, _names(header.fields or []), blank + header.line - 1)


def _delimiter_of(start: list[str]) -> str:
    """The delimiter that splits most lines into the same number of fields, and into the most."""
    bare = [QUOTED.sub("x", line) for line in start]

    def score(delimiter: str) -> int:
        try:
            rows = list(csv.reader(bare, delimiter=delimiter))
        except csv.Error:
            return 0
        widths = Counter(len(row) for row in rows)
        return max(((width - 1) * lines for width, lines in widths.items()), default=0)

    return max(DELIMITERS, key=score)


def _header_record(rows: list[Record]) -> Record | None:
    """The first record that looks like a header: as wide as the table, and hardly any but names."""
    if not rows:
        return None
    widths = Counter(_width(row) for row in rows)
    often = [width for width, count in widths.items() if count > 1 or len(rows) < 4]
    widest = max(often or widths)
    wide = [row for row in rows[: MOST_TITLES + 1] if len(row.fields or []) >= widest] or rows[:1]
    named = [row for row in wide if not any(VALUE.fullmatch(name) for name in _trimmed(row))]
    filled = [row for row in named if 2 * sum(map(bool, _trimmed(row))) > widest]
    return (filled or named or wide)[0]


def _trimmed(record: Record) -> list[str]:
    return [name.strip() for name in record.fields or []]


def _width(record: Record) -> int:
    """The number of fields, without empty ones at the end: a spreadsheet pads a title with them."""
    names = _trimmed(record)
    while names and not names[-1]:
        names.pop()
    return len(names)


def _names(header: list[str]) -> tuple[str, ...]:
    """The names of the columns, each once: DuckDB knows no difference of capitals."""
    taken = {LINE}
    names: list[str] = []
    for number, text in enumerate(header, start=1):
        stem = text.strip() or f"column_{number}"
        name = stem
        for again in itertools.count(2):
            if name.lower() not in taken:
                break
            name = f"{stem}_{again}"
        taken.add(name.lower())
        names.append(name)
    return tuple(names)


@contextmanager
def _as_utf_8(path: Path, encoding: str) -> Iterator[Path | None]:
    """The file itself, a private copy in UTF-8, or None for one with bytes of no letter."""
    if encoding == UTF_8 and not is_gzip(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        copy = Path(folder) / "text.csv"
        is_whole_text = True
        with open_text(path, encoding) as text, copy.open("wb") as target:
            while is_whole_text and (block := text.read(2**20)):
                target.write(block.encode("utf-8", "replace"))
                is_whole_text = REPLACED not in block
        yield copy if is_whole_text else None


def _load_fast(
    con: duckdb.DuckDBPyConnection, relation: str, readable: Path, file: TextFile
) -> TextFile | None:
    """Load a clean file in one pass; None for any other."""
    if ends_with_footer(readable, file.delimiter):
        return None
    types = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(file.columns)))
    names = ", ".join(f"c{i} AS {identifier(name)}" for i, name in enumerate(file.columns))
    try:
        with name_without_pattern(readable) as name:
            con.execute(
                f"CREATE OR REPLACE TABLE {relation} AS SELECT {names}, "
                f"row_number() OVER () + {file.header_line} AS {LINE} "
                f"FROM read_csv({literal(name)}, auto_detect = false, quote = '\"', escape = '\"', "
                f"delim = {literal(file.delimiter)}, header = true, "
                f"skip = {file.header_line - 1}, columns = {{{types}}})"
            )
    except duckdb.Error:
        return None
    rows = con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]
    if rows != _lines_below(readable, file.header_line):
        # Blank lines and line breaks inside quotes make lines and rows differ.
        with open_text(readable, UTF_8) as lines:
            found = records(lines, file.delimiter, file.header_line - 1)
            numbers = np.fromiter((record.line for record in found), dtype=np.int64)[1:]
        if len(numbers) != rows:
            return None
        first = file.header_line + 1
        counted = pa.table({"n": np.arange(first, first + rows), "line": numbers})
        con.register("counted_lines", counted)
        con.execute(
            f"UPDATE {relation} AS t SET {LINE} = c.line FROM counted_lines AS c "
            f"WHERE t.{LINE} = c.n AND c.n <> c.line"
        )
        con.unregister("counted_lines")
    return replace(file, rows=rows)


def _lines_below(readable: Path, header_line: int) -> int:
    """The physical lines below the header, by their line feeds."""
    count, last = 0, b""
    with readable.open("rb") as raw:
        while block := raw.read(2**20):
            count += block.count(b"\n")
            last = block[-1:]
    return count + (last != b"\n") - header_line


def _load_by_record(con: duckdb.DuckDBPyConnection, relation: str, file: TextFile) -> TextFile:
    """Load the whole records; note the broken ones."""
    columns = ", ".join(f"{identifier(name)} VARCHAR" for name in file.columns)
    con.execute(f"CREATE OR REPLACE TABLE {relation} ({columns}, {LINE} BIGINT)")
    sorted_ = SortedRecords(len(file.columns))
    rows = 0
    with open_text(file.path, file.encoding) as lines:
        found = records(lines, file.delimiter, file.header_line - 1)
        next(found, None)  # the header
        whole = sorted_.whole(found)
        while batch := list(itertools.islice(whole, BATCH)):
            rows += len(batch)
            con.register("text_rows", _table(batch, len(file.columns)))
            con.execute(f"INSERT INTO {relation} FROM text_rows")
            con.unregister("text_rows")
    return replace(
        file,
        rows=rows,
        broken=tuple(_broken(record, file.delimiter) for record in sorted_.broken),
        footers=len(sorted_.footers),
        replaced=tuple(sorted_.replaced),
        is_cut_short=sorted_.ends_inside_a_row,
    )


def _table(batch: list[Record], width: int) -> pa.Table:
    """The records as columns of text, and their lines; an empty value is NULL."""
    fields = zip(*((record.fields or [])[:width] for record in batch), strict=True)
    columns = [pa.array([text or None for text in texts], pa.string()) for texts in fields]
    lines = pa.array([record.line for record in batch], pa.int64())
    return pa.Table.from_arrays([*columns, lines], [*(f"c{i}" for i in range(width)), LINE])


def _broken(record: Record, delimiter: str) -> BrokenText:
    check, fields = broken_fields(record, delimiter)
    return BrokenText(record.line, check, len(fields), tuple(fields))
