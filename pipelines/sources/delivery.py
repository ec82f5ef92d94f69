"""Load the files of a delivery as tables of text, `source.<name>`, whatever they are called.

A name is the file's, without its day and in small letters: `Appointments_20261102.csv` is
`source.appointments`. Records of JSON are rows with one column, `json`, by the type of resource.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import texts
from pipelines.extracts.records import FileRefused
from pipelines.extracts.unpack import origin_of
from pipelines.sources import fhir, json_files, x12
from pipelines.sources.mapping import FileRule, SourceMapping
from pipelines.sql_files import identifier

TEXTS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
SUFFIXES = tuple(sorted((*TEXTS, *json_files.SUFFIXES), key=len, reverse=True))
# Our own columns: which file of one relation, and by which day a window replaces a kept row.
FILE, DAY = "_file", "_day"
# A day in a name: 2026-11-02, 20261102, 11022026, 11-02-2026, each also with a time behind it.
DATED = re.compile(
    r"(?<![0-9])(?:(?P<y>20[0-9]{2})[-_.]?(?P<m>[01][0-9])[-_.]?(?P<d>[0-3][0-9])"
    r"|(?P<m2>[01][0-9])[-_.]?(?P<d2>[0-3][0-9])[-_.]?(?P<y2>20[0-9]{2}))"
    r"(?:[-_T ]?[0-9]{4,6})?(?![0-9])"
)


@dataclass(frozen=True)
class Relation:
    """A loaded table of an export: its columns, and the files it came from, oldest first.

    `broken` counts records that are no row of the header's columns, which the contract never sees.
    `earlier` are columns that only rows of earlier deliveries have.
    """

    name: str
    columns: tuple[str, ...]
    rows: int
    files: tuple[str, ...]
    digest: str
    newest: dt.datetime
    broken: int = 0
    named_on: dt.date | None = None
    earlier: tuple[str, ...] = ()

    def column(self, wanted: str) -> str | None:
        """The column of this name, however it is written: Patient ID is patient_id."""
        return like(wanted, self.columns)

    def columns_of(self, wanted: Sequence[str]) -> list[str]:
        """The first of these columns that it has, and any that only its earlier rows have."""
        first = next((found for name in wanted if (found := self.column(name))), None)
        if first is None:
            return []
        before = [found for name in wanted if (found := like(name, self.earlier))]
        return list(dict.fromkeys([first, *before]))


@dataclass(frozen=True)
class Catalogue:
    """Everything a delivery holds, by relation name, and what was left aside, one sentence each."""

    relations: Mapping[str, Relation]
    notes: tuple[str, ...] = ()
    rules: Mapping[str, FileRule] = field(default_factory=dict)

    def find(self, wanted: str) -> Relation | None:
        """The relation that a mapping calls so, with * for anything and | between several names."""
        return next(iter(self.all_of(wanted)), None)

    def all_of(self, wanted: str) -> list[Relation]:
        """All relations of that name; the first, called just so where one is, is what counts."""
        found: dict[str, Relation] = {}
        for one in wanted.split("|"):
            fitting = [name for name in self.relations if is_like(name, one)]
            for name in sorted(fitting, key=lambda name: squeezed(name) != squeezed(one)):
                found.setdefault(name, self.relations[name])
        return list(found.values())


@dataclass(frozen=True)
class _File:
    path: Path
    stem: str
    relation: str
    named_on: dt.date | None
    is_x12: bool = False


def squeezed(name: str) -> str:
    """A name's letters and digits, small: what is left of it in any spelling."""
    return re.sub(r"[\W_]", "", name.casefold())


def like(wanted: str, names: Sequence[str]) -> str | None:
    """The first of these names that is the wanted one, however it is written."""
    if wanted in names:
        return wanted
    bare = squeezed(wanted)
    return next((name for name in names if bare and squeezed(name) == bare), None)


def is_like(name: str, pattern: str) -> bool:
    """Whether a name is the pattern, with * for anything and | between several, however written."""
    return any(
        fnmatch.fnmatchcase(squeezed(name), re.sub(r"[^\w*?]|_", "", one.casefold()))
        for one in pattern.split("|")
    )


def relation_name(stem: str) -> str:
    """The name of a file's table: its own without the day, in small letters."""
    bare = DATED.sub(" ", stem)
    return re.sub(r"[\W_]+", "_", bare.casefold()).strip("_") or "file"


def day_in(name: str) -> dt.date | None:
    """The day in a file's name, None if there is none of the calendar."""
    found = DATED.search(name)
    if found is None:
        return None
    parts = [found["y"] or found["y2"], found["m"] or found["m2"], found["d"] or found["d2"]]
    try:
        return dt.date(*map(int, parts))
    except ValueError:
        return None


def load(con: duckdb.DuckDBPyConnection, folder: Path, mapping: SourceMapping | None) -> Catalogue:
    """Load every file of an unpacked delivery; a file that cannot be read is a note, not an end.

    UserError when the folder cannot be listed or holds nothing to read.
    """
    con.execute("CREATE SCHEMA IF NOT EXISTS source")
    notes: list[str] = []
    rules = mapping.files if mapping else ()
    chosen = _chosen(list(_files(folder, notes)), rules, notes)
    relations: dict[str, Relation] = {}
    for name, files in chosen.items():
        for found in _load(con, name, files, notes):
            before = relations.get(found.name)
            relations[found.name] = found if before is None else _both(before, found)
    of_json = [one for one in relations.values() if one.columns == json_files.COLUMNS]
    if of_json:
        together = fhir.settle(con, [one.name for one in of_json])
        for name, kinds in together.items():
            parts = [relations[kind] for kind in kinds]
            relations[name] = replace(
                reduce(_both, parts), name=name, columns=("kind", "id", "json")
            )
    if not relations:
        raise UserError(f"{folder}: holds no file to read; {'; '.join(notes) or 'it is empty'}")
    by_name = {
        name: rule
        for name, relation in relations.items()
        if (rule := rule_of(rules, name, relation.files))
    }
    return Catalogue(relations, tuple(notes), by_name)


def rule_of(rules: tuple[FileRule, ...], name: str, files: tuple[str, ...]) -> FileRule | None:
    """The first rule whose pattern is the relation's name or that of one of its files."""
    for rule in rules:
        if any(is_like(one, rule.pattern) for one in (name, *files)):
            return rule
    return None


def _files(folder: Path, notes: list[str]) -> Iterator[_File]:
    try:
        folder.stat()
        paths = sorted(_walked(folder))
    except OSError as error:
        raise UserError(f"{folder}: cannot read this folder ({error.strerror})") from None
    if not folder.is_dir():
        raise UserError(f"{folder}: cannot read this folder (no such folder)")
    for path in paths:
        within = path.relative_to(folder).parts
        if any(part.startswith((".", "_")) for part in within):
            continue
        if x12.is_x12(path):  # each file counts, whatever day its name has
            yield _File(path, path.stem, f"{relation_name(path.stem)}_x12", None, is_x12=True)
            continue
        suffix = next((end for end in SUFFIXES if path.name.lower().endswith(end)), None)
        if suffix is None:
            notes.append(f"{path.name}: not a kind of file that is read")
            continue
        stem = path.name[: -len(suffix)]
        days = [day for part in (stem, *within[-2::-1]) if (day := day_in(part))]
        yield _File(path, stem, relation_name(stem), next(iter(days), None))


def _walked(folder: Path) -> Iterator[Path]:
    """The files of a folder and its folders; those beside a zip are links."""
    for place, _, names in os.walk(folder, followlinks=True):
        yield from (path for name in names if (path := Path(place) / name).is_file())


def _chosen(
    files: list[_File], rules: tuple[FileRule, ...], notes: list[str]
) -> dict[str, list[_File]]:
    """The files of each relation, oldest first; of several days, only the newest of a whole file.

    Of files of changes, each night counts.
    """
    by_relation: dict[str, list[_File]] = {}
    for file in files:
        by_relation.setdefault(file.relation, []).append(file)
    for name, found in by_relation.items():
        found.sort(key=lambda file: (file.named_on or dt.date.min, file.path.name))
        rule = rule_of(rules, name, tuple(file.path.name for file in found))
        newest = found[-1].named_on
        if newest is None or (rule is not None and rule.mode == "changes"):
            continue
        by_relation[name] = [file for file in found if file.named_on == newest]
        for file in found:
            if file.named_on != newest:
                notes.append(f"{file.path.name}: a newer file of its kind is read instead")
    return by_relation


def _load(
    con: duckdb.DuckDBPyConnection, name: str, files: list[_File], notes: list[str]
) -> list[Relation]:
    """Load the files of one name, one below the other, with `_file` 1, 2 …; JSON by its types."""
    of_text: list[_Part] = []
    found: list[Relation] = []
    for number, file in enumerate(files, 1):
        said = origin_of(file.path) or file.path.name
        try:
            if file.is_x12:
                found += _of_x12(con, file, said, notes)
                continue
            if file.path.name.lower().endswith(json_files.SUFFIXES):
                counts = json_files.load(con, file.path, name, number)
                for kind, rows in counts.items():
                    found.append(_relation(kind, json_files.COLUMNS, rows, [file]))
                continue
            part = f"{name}__{number}"
            loaded = texts.load_texts(con, f"source.{identifier(part)}", file.path)
            of_text.append(_Part(file, loaded, part, number))
        except FileRefused as refused:
            notes.append(f"{said}: {refused}")
        except OSError as error:
            notes.append(f"{said}: cannot be read ({error.strerror or 'it is damaged'})")
        except duckdb.Error as error:  # its message may quote a value
            notes.append(f"{said}: cannot be read ({type(error).__name__})")
    if of_text and _is_there(con, name):
        for one in of_text:
            con.execute(f"DROP TABLE source.{identifier(one.table)}")
            notes.append(f"{one.file.path.name}: is left out, since records have the same name")
    elif of_text:
        found.append(_joined(con, name, of_text))
    return found


def _of_x12(
    con: duckdb.DuckDBPyConnection, file: _File, said: str, notes: list[str]
) -> Iterator[Relation]:
    """The tables of an X12 file; each interchange says when it was sent."""
    contents = x12.load(con, file.path, said)
    notes += [f"{said}: {problem}" for problem in contents.problems]
    for table, columns in x12.TABLES.items():
        loaded = _relation(table, (*columns, "file"), len(contents.rows[table]), [file])
        yield replace(loaded, newest=contents.sent_at or loaded.newest)


def _is_there(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    sql = (
        "SELECT COUNT(*) FROM duckdb_tables() AS t "
        "WHERE t.schema_name = 'source' AND LOWER(t.table_name) = LOWER($name)"
    )
    return bool(con.execute(sql, {"name": name}).fetchall()[0][0])


class _Part(NamedTuple):
    file: _File
    loaded: texts.TextFile
    table: str
    number: int


def _joined(con: duckdb.DuckDBPyConnection, name: str, parts: list[_Part]) -> Relation:
    """One table of all parts; a column is named as in the newest part that has it."""
    columns: list[str] = []
    for part in reversed(parts):
        columns += [column for column in part.loaded.columns if like(column, columns) is None]
    selects = []
    for part in parts:
        named = ", ".join(
            f"s.{identifier(column)} AS {identifier(_free(like(column, columns) or column))}"
            for column in _once(part.loaded.columns)
        )
        selects.append(
            f"SELECT {named}, s._line, {part.number} AS {FILE} "
            f"FROM source.{identifier(part.table)} AS s"
        )
    # DuckDB would copy a single part; a renamed one is the same.
    if len(parts) == 1 and not {FILE, DAY} & set(map(str.lower, columns)):
        part = parts[0]
        con.execute(f"ALTER TABLE source.{identifier(part.table)} RENAME TO {identifier(name)}")
        con.execute(f"ALTER TABLE source.{identifier(name)} ADD COLUMN {FILE} INTEGER DEFAULT 1")
    else:
        con.execute(
            f"CREATE TABLE source.{identifier(name)} AS {' UNION ALL BY NAME '.join(selects)}"
        )
        for part in parts:
            con.execute(f"DROP TABLE source.{identifier(part.table)}")
    rows = sum(part.loaded.rows for part in parts)
    broken = sum(len(part.loaded.broken) for part in parts)
    files = [part.file for part in parts]
    return _relation(name, tuple(map(_free, columns)), rows, files, broken)


def _once(columns: Sequence[str]) -> Iterator[str]:
    """Each column, the first of those that differ in nothing but how they are written."""
    return (column for column in columns if like(column, columns[: columns.index(column)]) is None)


def _free(column: str) -> str:
    """The name, another one where it is that of our own column."""
    return f"{column}_2" if column.lower() in (FILE, DAY) else column


def _both(one: Relation, other: Relation) -> Relation:
    """Two files whose records went to one table."""
    return replace(
        one,
        rows=one.rows + other.rows,
        files=one.files + other.files,
        digest=hashlib.sha256((one.digest + other.digest).encode()).hexdigest(),
        newest=max(one.newest, other.newest),
    )


def _relation(
    name: str, columns: tuple[str, ...], rows: int, files: list[_File], broken: int = 0
) -> Relation:
    digest = hashlib.sha256()
    for file in files:
        with file.path.open("rb") as opened:
            while block := opened.read(2**20):
                digest.update(block)
    newest = max(file.path.stat().st_mtime for file in files)
    return Relation(
        name,
        columns,
        rows,
        tuple(origin_of(file.path) or file.path.name for file in files),
        digest.hexdigest(),
        dt.datetime.fromtimestamp(newest, dt.UTC),
        broken,
        max((file.named_on for file in files if file.named_on), default=None),
    )
