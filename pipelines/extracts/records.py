"""Read a delimited text file in Python: its header, and records with their lines."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from pipelines.extracts import contract
from pipelines.extracts.encodings import (
    REPLACED,
    UTF_8,
    is_gzip,
    open_bytes,
    open_text,
    quick_encoding,
)

DELIMITERS = (",", ";", "\t", "|")
MOST_TITLES = 9  # lines above the header, such as sep=, or the name of a report
# What database tools write below the rows: (6 rows affected), 6 rows selected., 6 records
FOOTER = re.compile(r"\(?[0-9][0-9,. ]* (?:rows?|records?)\b[^,;|\t]{0,40}", re.IGNORECASE)
# What reports write there: Total,,,123 or "Grand Total:", with numbers or nothing beside it
TOTAL = re.compile(
    r"(?:(?:grand|report|sub)[ -]?)?totals?(?: (?:rows?|records?|amount|count))?:?"
    r"|(?:(?:row|record)[ -]?)?count:?|\**\s*end of (?:report|file)\s*\**",
    re.IGNORECASE,
)
FOOTER_WORD = re.compile("row|record|total|count|end of", re.IGNORECASE)  # any footer has one
TOTALLED = re.compile(r"\(?-?\$?-?[0-9][0-9,.]*\)?")
SAME_WORD, SIMILAR_WORD = 0.92, 0.6  # how alike two column names are, from 0 to 1
_TAIL = 2**14  # bytes in which the last line begins
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
    of the contract that the file does not have; `titles` lines stand above the header, `footers`
    lines below the rows were left out, and the rows of the lines `replaced` hold wrong bytes.
    """

    delimiter: str
    positions: dict[str, int]
    width: int
    unknown: tuple[str, ...]
    is_empty: bool = False
    absent: tuple[str, ...] = ()
    titles: int = 0
    footers: int = 0
    replaced: tuple[int, ...] = ()

    def warnings(self) -> Iterator[str]:
        """What a reader should know of a file that was accepted all the same."""
        if self.unknown:
            plural = "s" if len(self.unknown) > 1 else ""
            yield f"unknown column{plural} ignored: {', '.join(self.unknown)}"
        if self.absent:
            plural = "s" if len(self.absent) > 1 else ""
            yield f"no column{plural} {', '.join(self.absent)}: read as empty"
        if self.footers == 1:
            yield "the last line only counts the rows or totals them and is ignored"
        elif self.footers:
            yield f"the last {self.footers} lines only count the rows or total them and are ignored"
        if self.replaced:
            rows = len(self.replaced)
            yield (
                f"{'1 row holds' if rows == 1 else f'{rows:,} rows hold'} a byte that is no letter "
                f"of the file's encoding, the first in line {self.replaced[0]}; it is read as "
                f"{REPLACED}"
            )


def layout_of(path: Path, table: str) -> Layout:
    """Read the header; the delimiter is the one that yields the most contract columns.

    FileRefused when a column of the contract is repeated, or missing though it is not nullable.
    """
    with open_text(path, quick_encoding(path)) as lines:
        found = list(first_lines(lines))
        headers = [_header(table, line) for _, line in found] or [_header(table, "")]
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


def first_lines(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    """The first lines that are not blank, each with the number of lines above it."""
    numbered = ((above, line) for above, line in enumerate(lines) if line.strip())
    return islice(numbered, MOST_TITLES + 1)


def _header(table: str, line: str) -> _Header:
    """The line split by the delimiter that yields the most columns of the contract."""
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
    """The records of a file, its header included, the titles above it and blank lines left out.

    A quote may close any number of lines further down. It is a stray one, and its record the one
    line, where it does not close or where rows of the header's width stand inside it. Each line is
    read at most three times: between a quote and where it closes, or fails to, no other can open.
    """
    number = sum(1 for _ in islice(lines, titles))
    returned: deque[str] = deque()  # lines handed back by a record that never closed
    width = 0
    while line := _next_line(returned, lines):
        number += 1
        if not line.strip("\r\n"):
            continue
        if '"' not in line:
            fields: list[str] | None = line.rstrip("\r\n").split(delimiter)
            yield Record(number, fields, line)
            width = width or line.count(delimiter) + 1
            continue
        taken: list[str] = []
        source = chain([line], _following_lines(returned, lines, taken))
        try:
            fields = next(csv.reader(source, delimiter=delimiter, strict=True))
        except csv.Error:
            fields = None
        if fields is not None and taken and _has_swallowed(fields, taken, delimiter, width):
            fields = None
        yield Record(number, fields, line)
        if fields is None:
            returned.extendleft(reversed(taken))
        else:
            number += len(taken)
            width = width or len(fields)


def is_whole(fields: list[str], width: int) -> bool:
    """True for as many fields as the header has, or one empty field more."""
    return len(fields) == width or (len(fields) == width + 1 and not fields[-1])


def _has_swallowed(fields: list[str], taken: list[str], delimiter: str, width: int) -> bool:
    """Whether rows stand inside a quote: one in a record that is none, or nothing but rows.

    A row, unlike a line of prose, has the header's width and starts with a word, its id.
    """
    are_rows = [
        line.count(delimiter) == width - 1 and 0 < len(line.partition(delimiter)[0].split()) < 2
        for line in taken
    ]
    if is_whole(fields, width):
        return width > 3 and len(taken) > 1 and all(are_rows)
    return width > 1 and any(are_rows)


def is_footer(record: Record) -> bool:
    """True for a line below the rows: their number, or totals with nothing but numbers beside."""
    if not FOOTER_WORD.search(record.text):
        return False
    text = record.text.strip().rstrip(",;|\t").strip('"')
    if FOOTER.fullmatch(text) or TOTAL.fullmatch(text.strip()):
        return True
    filled = [field.strip() for field in record.fields or [] if field.strip()]
    return (
        bool(filled)
        and TOTAL.fullmatch(filled[0]) is not None
        and all(TOTALLED.fullmatch(field) for field in filled[1:])
    )


def ends_with_footer(path: Path, delimiter: str) -> bool:
    """Whether the last line that is not blank is a footer."""
    encoding = quick_encoding(path)
    last = ""
    if encoding == UTF_8 and not is_gzip(path):
        with open_bytes(path) as raw:
            raw.seek(-min(_TAIL, raw.seek(0, io.SEEK_END)), io.SEEK_END)
            lines = raw.read().decode("utf-8", "replace").splitlines(keepends=True)
        last = next((line for line in reversed(lines) if line.strip()), "")
    else:
        with open_text(path, encoding) as text:
            for line in text:
                last = line if line.strip() else last
    record = next(records(iter([last]), delimiter), None)
    return record is not None and is_footer(record)


@dataclass
class SortedRecords:
    """The records of a file whose header has `width` names, sorted as they are read.

    `lines` are those of the whole ones, `footers` stand below the last row, and the whole ones in
    the lines `replaced` hold bytes of no letter.
    """

    width: int
    lines: list[int] = field(default_factory=list)
    broken: list[Record] = field(default_factory=list)
    footers: list[Record] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    last: Record | None = None

    def whole(self, found: Iterator[Record]) -> Iterator[Record]:
        """The records that are rows; the others are noted."""
        for record in found:
            if is_footer(record):
                self.footers.append(record)
                continue
            if self.footers:  # a row follows, so they were none
                yield from filter(self._is_row, self.footers)
                self.footers.clear()
            self.last = record
            if self._is_row(record):
                yield record

    @property
    def ends_inside_a_row(self) -> bool:
        """Whether the file stops in the middle of a record."""
        if self.last is None or self.last.text.endswith(("\n", "\r")):
            return False
        return self.last.fields is None or len(self.last.fields) < self.width

    def _is_row(self, record: Record) -> bool:
        if record.fields is None or not is_whole(record.fields, self.width):
            self.broken.append(record)
            return False
        self.lines.append(record.line)
        is_quoted = '"' in record.text  # and so may span lines
        if REPLACED in (record.text if not is_quoted else "".join(record.fields)):
            self.replaced.append(record.line)
        return True


def broken_fields(record: Record, delimiter: str) -> tuple[str, list[str]]:
    """The check that a record fails which is no row, and its fields as far as they can be told."""
    if record.fields is None:
        return "unterminated_quote", record.text.rstrip("\r\n").split(delimiter)
    return "field_count", record.fields


def _next_line(returned: deque[str], lines: Iterator[str]) -> str:
    return returned.popleft() if returned else next(lines, "")


def _following_lines(returned: deque[str], lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    """Yield the lines a record may continue on, and note them in `taken`."""
    while line := _next_line(returned, lines):
        taken.append(line)
        yield line
