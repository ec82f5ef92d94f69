"""What the names of a delivery say: the day of a folder, the table of a file and its day."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import NamedTuple

from pipelines.errors import UserError
from pipelines.extracts import contract

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".parquet")
_YEAR = r"(?:19|20|21)[0-9]{2}"
_YEAR_FIRST = rf"(?P<y>{_YEAR})(?P<s>[-_. ]?)(?P<m>[0-9]{{2}})(?P=s)(?P<d>[0-9]{{2}})"
_MONTH_FIRST = (
    r"(?:(?P<m2>[0-9]{2})(?P<d2>[0-9]{2})"
    r"|(?P<m3>[0-9]{1,2})(?P<s3>[-_. ])(?P<d3>[0-9]{1,2})(?P=s3))"
    rf"(?P<y2>{_YEAR})"
)
_DAY = rf"(?:{_YEAR_FIRST}|{_MONTH_FIRST})"
_TIME = r"(?:[-_ t.]*[0-9]{2}[-_.:]?[0-9]{2}(?:[-_.:]?[0-9]{2})?z?)?"
_AT_START = re.compile(_DAY)
_AT_END = re.compile(rf"(?<![0-9]){_DAY}{_TIME}$")
_TIME_AT_START = re.compile(rf"{_TIME}(?![0-9])")
_LIKE_A_DAY = re.compile(r"[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}-[0-9]{2}-[0-9]{4}")


class DatedName(NamedTuple):
    """The day at the start of a name, and the rest of it."""

    day: dt.date
    rest: str


class TableName(NamedTuple):
    """The table that a file or folder is named for, and the day in its name, if one can be read."""

    table: str
    day: dt.date | None


def dated(name: str) -> DatedName | None:
    """A name that starts with a day: 2026-11-03…, 20261103…, 11-03-2026… or 11032026….

    Month first, as the practices of this software write it. None for a name without a day;
    UserError for one that looks like a day and is none.
    """
    found = _AT_START.match(name)
    day = _day(found) if found else None
    if found and day:
        return DatedName(day, name[found.end() :])
    if _LIKE_A_DAY.match(name):
        raise UserError(
            f"{name}: starts like a day, and no calendar has it (month before day); "
            "name it like 2026-11-03, or let it start with a letter"
        )
    return None


def table_of(name: str) -> TableName | None:
    """The table of a file's name or of a word of a manifest; None where it is no table.

    Capitals, blanks, hyphens, underscores, a suffix such as .csv, and a day before or behind the
    table's name make no difference.
    """
    stem = name.strip().lower()
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if stem.endswith(suffix):
            stem = stem.removesuffix(suffix)
            break
    tables = _tables()
    if _squeezed(stem) in tables:
        return TableName(tables[_squeezed(stem)], None)
    behind, before = _AT_END.search(stem), _AT_START.match(stem)
    if behind and _squeezed(stem[: behind.start()]) in tables:
        return TableName(tables[_squeezed(stem[: behind.start()])], _day(behind))
    if before:
        rest = stem[before.end() :]
        time = _TIME_AT_START.match(rest)
        rest = rest[time.end() :] if time else rest
        if _squeezed(rest) in tables:
            return TableName(tables[_squeezed(rest)], _day(before))
    return None


def is_read(name: str) -> bool:
    """Whether a file of this name is read as a table."""
    return name.lower().endswith(SUFFIXES)


def _day(found: re.Match[str]) -> dt.date | None:
    part = found.groupdict()
    year = part["y"] or part["y2"]
    month, day = part["m"] or part["m2"] or part["m3"], part["d"] or part["d2"] or part["d3"]
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


@cache
def _tables() -> dict[str, str]:
    return {_squeezed(table): table for table in (*contract.TABLES, "manifest")}


def _squeezed(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())
