"""Look at a delivery for a person who confirms it: files, columns, masked samples, matches.

A sample shows how a value is written and never the value: A•••, ••/••/2026, $••.••.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.extracts.unpack import unpacked
from pipelines.sources import dates, delivery, recognising
from pipelines.sources.delivery import Catalogue, Relation
from pipelines.sources.profiles import Profile, is_value, profiles
from pipelines.sources.recognising import TableMatch
from pipelines.sql_files import identifier
from pipelines.warehouse import snapshots

SAMPLES = 3
LOOKED_AT = 500  # rows in which samples that look different are searched
LONGEST = 14  # characters of a sample
LIKE_DAYS = 0.5  # share of a column's values that are days
_MONEY = re.compile(r"^[-(]?\$.*[0-9]")
_YEAR = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")


@dataclass(frozen=True)
class SeenColumn:
    """A column of a file: masked samples, its words if they are few, and its formats of days."""

    name: str
    samples: tuple[str, ...]
    words: tuple[tuple[str, int], ...] = ()
    days: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeenFile:
    """A file of a delivery and the table that it seems to be; `match` None: no table of ours.

    `has_names` is False where the first line looks like values; then `columns` is empty, so that
    nobody is shown a value as the name of a column.
    """

    relation: str
    file: str
    rows: int
    columns: tuple[SeenColumn, ...]
    match: TableMatch | None
    has_names: bool = True

    def column(self, name: str) -> SeenColumn | None:
        """The column of this name."""
        return next((one for one in self.columns if one.name == name), None)


@dataclass(frozen=True)
class Seen:
    """A delivery as a person is shown it.

    `is_order_open`: its days may be month/day or day/month, and nothing in it tells which.
    """

    files: tuple[SeenFile, ...]
    is_order_open: bool
    notes: tuple[str, ...] = ()

    def file(self, relation: str) -> SeenFile | None:
        """The file of this relation."""
        return next((one for one in self.files if one.relation == relation), None)


def look(
    path: Path, tables: Mapping[str, str | None] | None = None, order: str | None = None
) -> Seen:
    """A delivery beside the contract; UserError when nothing in it can be read.

    `tables` says which table each file is, and `order` how its days are written, where a person
    has decided.
    """
    with unpacked(path) as folder, snapshots.connect() as con:
        catalogue = delivery.load(con, folder, None)
        looked = {name: list(profiles(con, one)) for name, one in catalogue.relations.items()}
        found = recognising.recognise_loaded(con, catalogue, looked, tables)
        readings = dates.readings(con, _day_columns(looked), order, {})
        matches = {match.relation: match for match in found.tables}
        files: list[SeenFile] = []
        for name, relation in catalogue.relations.items():
            file, rows = relation.files[0], relation.rows
            if any(map(is_value, relation.columns)):
                files.append(SeenFile(name, file, rows, (), None, has_names=False))
            else:
                columns = _columns(con, relation, looked[name], readings)
                files.append(SeenFile(name, file, rows, columns, matches.get(name)))
        is_open = any(reading.is_open for reading in readings.values())
        return Seen(tuple(files), is_open, _notes(catalogue))


def masked(value: str) -> str:
    """How a value is written, without the value."""
    text = value.strip()
    if not text:
        return ""
    if _MONEY.match(text):
        return "$••.••" if "." in text else "$••"
    if text[0].isalpha():
        return f"{text[0]}•••"
    year = _YEAR.search(text)
    is_day = any(mark in text for mark in "/-.") and year is not None
    kept = year.span() if is_day and year else (0, 0)
    return "".join(
        character if kept[0] <= place < kept[1] or not character.isalnum() else "•"
        for place, character in enumerate(text[:LONGEST])
    )


def _columns(
    con: duckdb.DuckDBPyConnection,
    relation: Relation,
    looked: Sequence[Profile],
    readings: Mapping[tuple[str, str], dates.Reading],
) -> tuple[SeenColumn, ...]:
    seen: list[SeenColumn] = []
    for profile in looked:
        x = f"TRIM(s.{identifier(profile.column)})"
        rows = con.execute(
            f"SELECT DISTINCT {x} FROM (FROM source.{identifier(relation.name)} LIMIT {LOOKED_AT}) "
            f"AS s WHERE {x} <> '' ORDER BY {x}"
        ).fetchall()
        samples = list(dict.fromkeys(masked(str(row[0])) for row in rows))
        reading = readings.get((relation.name, profile.column), dates.Reading())
        seen.append(
            SeenColumn(profile.column, tuple(samples[:SAMPLES]), profile.words, reading.formats)
        )
    return tuple(seen)


def _day_columns(looked: Mapping[str, Sequence[Profile]]) -> dict[str, list[str]]:
    return {
        name: [one.column for one in of_file if one.share("day") > LIKE_DAYS]
        for name, of_file in looked.items()
    }


def _notes(catalogue: Catalogue) -> tuple[str, ...]:
    broken = [
        f"{one.files[0]}: {one.broken:,} lines are no rows of its columns and left out"
        for one in catalogue.relations.values()
        if one.broken
    ]
    return (*catalogue.notes, *broken)
