"""Read a delimited text file in Python: encoding, header, and records with their lines."""

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from pipelines.extracts import contract

DELIMITERS = (",", ";", "\t", "|")
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
    of the contract that the file does not have.
    """

    delimiter: str
    positions: dict[str, int]
    width: int
    unknown: tuple[str, ...]
    is_empty: bool = False
    absent: tuple[str, ...] = ()


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
        raw = next((line for line in lines if line.strip()), "").encode("latin-1")
        is_empty = not any(line.strip("\r\n") for line in lines)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FileRefused("is written in UTF-16; save it as UTF-8")
    first = raw.decode("utf-8-sig", errors="replace")
    headers = [next(csv.reader([first], delimiter=delimiter), []) for delimiter in DELIMITERS]
    wanted = {column.name for column in contract.columns(table)}
    best = max(
        range(len(DELIMITERS)),
        key=lambda i: len(wanted & {name.strip().lower() for name in headers[i]}),
    )
    return replace(layout_from(table, DELIMITERS[best], headers[best]), is_empty=is_empty)


def layout_from(table: str, delimiter: str, header: list[str]) -> Layout:
    """The layout of a file with this header; FileRefused as in `layout_of`."""
    names = [name.strip().lower() for name in header]
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


def records(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    """The records of a file, its header included, blank lines left out."""
    number = 0
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


def _next_line(returned: deque[str], lines: Iterator[str]) -> str:
    return returned.popleft() if returned else next(lines, "")


def _following_lines(returned: deque[str], lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    """Yield the lines a record may continue on, and note them in `taken`."""
    while len(taken) < LONGEST_RECORD - 1 and (line := _next_line(returned, lines)):
        taken.append(line)
        yield line
