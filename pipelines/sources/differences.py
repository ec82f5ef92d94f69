"""What a delivery holds that nobody has confirmed: new columns, new words, days written otherwise.

Only a source with a [confirmed] section is compared. A difference holds the tables that read it
until a person confirms it on the Connect page; the reason that is logged quotes no value.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract, formats
from pipelines.sources import dates
from pipelines.sources.dates import Reading
from pipelines.sources.delivery import Catalogue, squeezed
from pipelines.sources.mapping import SourceMapping
from pipelines.sources.profiles import is_value
from pipelines.sources.specs import Lookup, Named
from pipelines.sql_files import identifier

FILE = "new.json"
MOST_WORDS = 30  # a column with more words that nobody knows has the wrong column mapped to it
COLUMN, WORD, DAYS = "column", "word", "days"


@dataclass(frozen=True)
class Difference:
    """One thing that is new in a file.

    `kind` is COLUMN, WORD or DAYS. `column` is the file's, of a word the contract's in `table`;
    "" where a file came without names of columns, whose first line nobody is shown.
    `what` is the word, "" where there are more than MOST_WORDS; of days, how they are written now,
    and `formats` are what to confirm of them.
    """

    kind: str
    relation: str
    file: str
    column: str
    table: str | None = None
    what: str = ""
    rows: int = 0
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class News:
    """The differences of the last delivery that was imported, and that delivery's name."""

    delivery: str
    found: tuple[Difference, ...]


def find(
    con: duckdb.DuckDBPyConnection,
    mapping: SourceMapping,
    catalogue: Catalogue,
    readings: Mapping[tuple[str, str], Reading],
) -> list[Difference]:
    """All differences; the words are those of the tables canonical.NAME that are made."""
    if not mapping.confirmed:
        return []
    return [
        *new_columns(mapping, catalogue),
        *new_days(mapping, catalogue, readings),
        *new_words(con, mapping, catalogue),
    ]


def new_columns(mapping: SourceMapping, catalogue: Catalogue) -> Iterator[Difference]:
    """The columns that a confirmed file did not have; a file that is new is no difference."""
    for name, relation in catalogue.relations.items():
        seen = mapping.confirmed.get(name)
        if seen is None or relation.columns == ("json",):  # of records of JSON nothing is new
            continue
        known = {squeezed(column) for column in seen}
        if any(is_value(column) and column not in seen for column in relation.columns):
            yield Difference(COLUMN, name, relation.files[0], "", rows=relation.rows)
            continue
        for column in relation.columns:
            if squeezed(column) not in known:
                yield Difference(COLUMN, name, relation.files[0], column, rows=relation.rows)


def new_days(
    mapping: SourceMapping,
    catalogue: Catalogue,
    readings: Mapping[tuple[str, str], Reading],
) -> Iterator[Difference]:
    """The columns whose days are written otherwise than when they were confirmed."""
    for (name, column), reading in readings.items():
        confirmed = mapping.days.get(name, {}).get(column)
        if confirmed is None or name not in catalogue.relations:
            continue
        before = dates.order_of(confirmed)
        is_turned = None not in (before, reading.order) and before != reading.order
        others = [one for one in reading.formats if one not in confirmed]
        if is_turned or others:
            relation = catalogue.relations[name]
            written = reading.order if is_turned else dates.in_words(others[0])
            both = tuple(dict.fromkeys((*confirmed, *others)))
            yield Difference(
                DAYS,
                name,
                relation.files[0],
                column,
                what=written or "",
                rows=relation.rows,
                formats=tuple(map(dates.turned, both)) if is_turned else both,
            )


def new_words(
    con: duckdb.DuckDBPyConnection, mapping: SourceMapping, catalogue: Catalogue
) -> Iterator[Difference]:
    """The words of columns with a value set that neither the set nor the mapping has."""
    made = {
        str(row[0])
        for row in con.execute(
            "SELECT t.table_name FROM duckdb_tables() AS t WHERE t.schema_name = 'canonical'"
        ).fetchall()
    }
    for table, rules in mapping.tables.items():
        relation = next(
            (found for rule in rules if rule.source and (found := catalogue.find(rule.source))),
            None,
        )
        if table not in made or relation is None:
            continue
        for column in contract.columns(table):
            if column.allowed is None or column.is_described:
                continue
            known = set(formats.words(column.allowed))
            for rule in rules:
                spec = rule.columns.get(column.name)
                if isinstance(spec, Named | Lookup) and spec.values:
                    known |= {formats.squeezed(word) for word in spec.values}
            unknown = [
                (word, rows)
                for word, rows in _words(con, table, column.name)
                if formats.squeezed(word) not in known
            ]
            if len(unknown) > MOST_WORDS:
                unknown = [("", sum(rows for _, rows in unknown))]
            for word, rows in unknown:
                yield Difference(
                    WORD, relation.name, relation.files[0], column.name, table, word, rows
                )


def reason(found: Sequence[Difference]) -> str:
    """Why a table with these differences is held: files and numbers, no values."""
    parts: list[str] = []
    for file in dict.fromkeys(one.file for one in found):
        of_file = [one for one in found if one.file == file]
        columns = sum(one.kind == COLUMN for one in of_file)
        days = [one.column for one in of_file if one.kind == DAYS]
        words = {one.column: 0 for one in of_file if one.kind == WORD}
        for one in of_file:
            if one.kind == WORD:
                words[one.column] += 1
        if columns:
            parts.append(f"{file} has {_plural(columns, 'new column')}")
        if days:
            parts.append(f"{file} writes the days of {', '.join(days)} in another way")
        parts += [f"{file} has {_plural(n, 'new word')} for {name}" for name, n in words.items()]
    return f"{'; '.join(parts)}: confirm it on the Connect page"


def of_table(found: Sequence[Difference], table: str, read: Sequence[str]) -> list[Difference]:
    """The differences that hold a table, which reads these files."""
    return [
        one for one in found if (one.table == table if one.kind == WORD else one.relation in read)
    ]


def write(folder: Path, news: News) -> None:
    """Note what is new beside the source, for the Connect page; readable by its owner only."""
    document = {"delivery": news.delivery, "found": [asdict(one) for one in news.found]}
    write_private(folder / FILE, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def read(folder: Path) -> News:
    """What the last import found new; nothing where there was none, or where it cannot be read."""
    try:
        document = json.loads((folder / FILE).read_text(encoding="utf-8"))
        found = tuple(
            Difference(**{**one, "formats": tuple(one["formats"])}) for one in document["found"]
        )
        return News(str(document["delivery"]), found)
    except (OSError, ValueError, KeyError, TypeError):
        return News("", ())


def write_private(path: Path, text: str) -> None:
    """Replace a file at once by one of mode 0600; UserError when that fails."""
    unfinished = path.with_name(f".{path.name}.building")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(text.encode())
        os.replace(unfinished, path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from None


def _words(con: duckdb.DuckDBPyConnection, table: str, column: str) -> list[tuple[str, int]]:
    x = f"t.{identifier(column)}"
    rows = con.execute(
        f"SELECT {x}, COUNT(*) FROM canonical.{identifier(table)} AS t WHERE {x} IS NOT NULL "
        f"GROUP BY {x} ORDER BY COUNT(*) DESC, {x}"
    ).fetchall()
    return [(str(word), int(count)) for word, count in rows]


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
