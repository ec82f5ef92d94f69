"""Read a delimited text file in Python: encoding, header, and records with their lines."""

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from pipelines.extracts import contract

DELIMITERS = (",", ";", "\t", "|")
MOST_TITLES = 9  # lines above the header, such as sep=, or the name of a report
# What database tools write below the rows: (6 rows affected), 6 rows selected., 6 records
FOOTER = re.compile(r"\(?[0-9][0-9,. ]* (?:rows?|records?)\b[^,;|\t]{0,40}", re.IGNORECASE)
LONGEST_RECORD = 50  # lines; a quote still open after that is a stray quote
SAME_WORD, SIMILAR_WORD = 0.92, 0.6  # how alike two column names are, from 0 to 1
csv.field_size_limit(2**24)


class FileRefused(Exception):
    """The whole file cannot be used; the message completes "<file> …" and holds no values."""


class Record(NamedTuple):
    """One record: the number of its first line, its fields, and the text of that line.

    `fields` is None where a quote opens and never closes.
    """

    line: int
    fields: list[str] | None
    text: str


@dataclass(frozen=True)
class Layout:
    """Columns of a file: positions of the contract's columns, how many there are, unknown names.

    `is_empty` says that a text file has no line but its header; `absent` are the nullable columns
    of the contract that the file does not have; `titles` lines stand above the header, and
    `has_footer` says that one below the rows was left out.
    """

    delimiter: str
    positions: dict[str, int]
    width: int
    unknown: tuple[str, ...]
    is_empty: bool = False
    absent: tuple[str, ...] = ()
    titles: int = 0
    has_footer: bool = False


def is_gzip(path: Path) -> bool:
    """True for a file that is read through gzip."""
    return path.name.lower().endswith(".gz")


def open_text(path: Path, encoding: str) -> io.TextIOWrapper:
    """Open a plain or gzipped text file; line ends are kept as they are."""
    return io.TextIOWrapper(
        gzip.open(path) if is_gzip(path) else open(path, "rb"), encoding=encoding, newline=""
    )


def encoding_of(path: Path) -> str:
    """UTF-8 if the whole file is valid UTF-8, else Latin-1, which accepts any byte."""
    with open_text(path, "utf-8") as text:
        try:
            while text.read(2**20):
                pass
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8-sig"


def layout_of(path: Path, table: str) -> Layout:
    """Read the header; the delimiter is the one that yields the most contract columns.

    FileRefused when a column of the contract is repeated, or missing though it is not nullable.
    """
    with open_text(path, "latin-1") as lines:  # accepts any byte further down
        found = list(_first_lines(lines))
        if found and found[0][1].startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise FileRefused("is written in UTF-16; save it as UTF-8")
        headers = [_header(table, raw) for _, raw in found] or [_header(table, b"")]
        needed = sum(not column.may_be_absent for column in contract.columns(table))
        places = [place for place, header in enumerate(headers) if 2 * header.known >= needed]
        place = places[0] if places else 0
        is_empty = len(found) <= place + 1 and not any(line.strip("\r\n") for line in lines)
    layout = layout_from(table, headers[place].delimiter, headers[place].names)
    skipped = found[place][0] if place else 0  # blank lines above a header are skipped anyway
    return replace(layout, is_empty=is_empty, titles=skipped)


class _Header(NamedTuple):
    """A line read as a header: how many of its names are columns of the contract."""

    known: int
    delimiter: str
    names: list[str]


def _first_lines(lines: Iterator[str]) -> Iterator[tuple[int, bytes]]:
    """The first lines that are not blank, each with the number of lines above it."""
    numbered = ((above, line) for above, line in enumerate(lines) if line.strip())
    for above, line in islice(numbered, MOST_TITLES + 1):
        yield above, line.encode("latin-1")


def _header(table: str, raw: bytes) -> _Header:
    """The line split by the delimiter that yields the most columns of the contract."""
    line = raw.decode("utf-8-sig", errors="replace")
    wanted = {column.name for column in contract.columns(table)}
    splits = [(name, next(csv.reader([line], delimiter=name), [])) for name in DELIMITERS]
    return max(
        (
            _Header(len(wanted & set(_column_names(table, names))), delimiter, names)
            for delimiter, names in splits
        ),
        key=lambda header: header.known,
    )


def _column_names(table: str, header: list[str]) -> list[str]:
    """The names of a header; one that is a column's but for capitals and blanks is that column."""
    columns = {_squeezed(column.name): column.name for column in contract.columns(table)}
    return [columns.get(_squeezed(name), name.strip().lower()) for name in header]


def _squeezed(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def layout_from(table: str, delimiter: str, header: list[str]) -> Layout:
    """The layout of a file with this header; FileRefused as in `layout_of`."""
    names = _column_names(table, header)
    columns = contract.columns(table)
    wanted = [column.name for column in columns]
    unknown = tuple(name for name in names if name not in wanted)
    # Without a header, the first line holds a patient's values: quote it only if it looks like one.
    needed = sum(not column.may_be_absent for column in columns)
    is_header = 2 * len(set(wanted) & set(names)) >= needed
    absent = []
    for column in columns:
        if names.count(column.name) > 1:
            raise FileRefused(f"has the column {column.name} {names.count(column.name)} times")
        if column.name in names:
            continue
        # Reading a misspelt column as empty would withdraw tasks.
        cutoff = SAME_WORD if column.may_be_absent else SIMILAR_WORD
        close = difflib.get_close_matches(column.name, unknown, n=1, cutoff=cutoff)
        if column.may_be_absent and not close:
            absent.append(column.name)
            continue
        hint = f" (did you mean its column {close[0]}?)" if close and is_header else ""
        raise FileRefused(f"has no column {column.name}{hint}")
    positions = {name: names.index(name) for name in wanted if name in names}
    return Layout(delimiter, positions, len(names), unknown, absent=tuple(absent))


def records(lines: Iterator[str], delimiter: str, titles: int = 0) -> Iterator[Record]:
    """The records of a file, its header included, the titles above it and blank lines left out."""
    number = sum(1 for _ in islice(lines, titles))
    returned: deque[str] = deque()  # lines handed back by a record that never closed
    while line := _next_line(returned, lines):
        number += 1
        if not line.strip("\r\n"):
            continue
        if '"' not in line:
            yield Record(number, line.rstrip("\r\n").split(delimiter), line)
            continue
        taken: list[str] = []
        source = chain([line], _following_lines(returned, lines, taken))
        try:
            fields = next(csv.reader(source, delimiter=delimiter, strict=True))
        except csv.Error:
            returned.extendleft(reversed(taken))
            yield Record(number, None, line)
        else:
            yield Record(number, fields, line)
            number += len(taken)


def is_footer(record: Record) -> bool:
    """True for the line that a database tool writes below the rows, with their number."""
    return FOOTER.fullmatch(record.text.strip().rstrip(",;|\t").strip('"')) is not None


def _next_line(returned: deque[str], lines: Iterator[str]) -> str:
    return returned.popleft() if returned else next(lines, "")


def _following_lines(returned: deque[str], lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    """Yield the lines a record may continue on, and note them in `taken`."""
    while len(taken) < LONGEST_RECORD - 1 and (line := _next_line(returned, lines)):
        taken.append(line)
        yield line
