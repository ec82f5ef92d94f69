"""Load the files of a delivery as tables of text, `source.<name>`, whatever they are called.

A name is the file's, without its day and in small letters: `Appointments_20261102.csv` is
`source.appointments`. Records of JSON are rows with one column, `json`, by the type of resource.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import texts
from pipelines.extracts.records import FileRefused
from pipelines.extracts.unpack import origin_of
from pipelines.sources import fhir, json_files, x12
from pipelines.sources.mapping import FileRule, SourceMapping
from pipelines.sql_files import identifier

TEXTS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
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
    """

    name: str
    columns: tuple[str, ...]
    rows: int
    files: tuple[str, ...]
    digest: str
    newest: dt.datetime
    broken: int = 0
    named_on: dt.date | None = None

    def column(self, wanted: str) -> str | None:
        """The column of this name, however it is written: Patient ID is patient_id."""
        if wanted in self.columns:
            return wanted
        by_letters = {squeezed(name): name for name in reversed(self.columns)}
        return by_letters.get(squeezed(wanted))


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
        """All relations of that name; the first is the one that counts."""
        found: dict[str, Relation] = {}
        for one in wanted.lower().split("|"):
            pattern = re.sub(r"[^a-z0-9*?]", "", one)
            for name, relation in self.relations.items():
                if fnmatch.fnmatchcase(squeezed(name), pattern):
                    found.setdefault(name, relation)
        return list(found.values())

    def delivered_at(self) -> dt.datetime | None:
        """The time of the newest file, in UTC; X12 beside others says nothing of these."""
        own = [found for found in self.relations.values() if found.name not in x12.TABLES]
        return max((one.newest for one in own or self.relations.values()), default=None)


@dataclass(frozen=True)
class _File:
    path: Path
    stem: str
    relation: str
    named_on: dt.date | None
    is_x12: bool = False


def squeezed(name: str) -> str:
    """A name's letters and digits, small: what is left of it in any spelling."""
    return re.sub("[^a-z0-9]", "", name.lower())


def relation_name(stem: str) -> str:
    """The name of a file's table: its own without the day, in small letters."""
    bare = DATED.sub(" ", stem)
    return re.sub("[^a-z0-9]+", "_", bare.lower()).strip("_") or "file"


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
        pattern = rule.pattern.lower()
        names = [name, *(file.lower() for file in files)]
        if any(fnmatch.fnmatchcase(one, pattern) for one in names):
            return rule
        if any(squeezed(one) == squeezed(pattern) for one in names):
            return rule
    return None


def _files(folder: Path, notes: list[str]) -> Iterator[_File]:
    try:
        entries = sorted(folder.rglob("*"))
    except OSError as error:
        raise UserError(f"{folder}: cannot read this folder ({error.strerror})") from None
    if not folder.is_dir():
        raise UserError(f"{folder}: cannot read this folder (no such folder)")
    for path in entries:
        if not path.is_file() or any(
            part.startswith((".", "_")) for part in path.relative_to(folder).parts
        ):
            continue
        name = path.name.lower()
        if x12.is_x12(path):  # each file counts, whatever day its name has
            yield _File(path, path.stem, f"{relation_name(path.stem)}_x12", None, is_x12=True)
            continue
        suffix = next(
            (
                end
                for end in sorted((*TEXTS, *json_files.SUFFIXES), key=len)[::-1]
                if name.endswith(end)
            ),
            None,
        )
        if suffix is None:
            notes.append(f"{path.name}: not a kind of file that is read")
            continue
        stem = path.name[: -len(suffix)]
        yield _File(path, stem, relation_name(stem), day_in(stem))


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
    of_text: list[tuple[_File, texts.TextFile, str]] = []
    found: list[Relation] = []
    for number, file in enumerate(files, 1):
        said = origin_of(file.path) or file.path.name
        try:
            if file.is_x12:
                found += _of_x12(con, file, said, notes)
                continue
            if file.path.name.lower().endswith(json_files.SUFFIXES):
                for kind, rows in json_files.load(con, file.path, name).items():
                    found.append(_relation(kind, json_files.COLUMNS, rows, [file]))
                continue
            part = f"{name}__{number}"
            loaded = texts.load_texts(con, f"source.{identifier(part)}", file.path)
            of_text.append((file, loaded, part))
        except FileRefused as refused:
            notes.append(f"{said}: {refused}")
        except OSError as error:
            notes.append(f"{said}: cannot be read ({error.strerror or 'it is damaged'})")
    if of_text:
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


def _joined(
    con: duckdb.DuckDBPyConnection, name: str, parts: list[tuple[_File, texts.TextFile, str]]
) -> Relation:
    selects = [
        f"SELECT *, {number} AS _file FROM source.{identifier(part)}"
        for number, (_, _, part) in enumerate(parts, 1)
    ]
    if len(parts) == 1:
        con.execute(f"ALTER TABLE source.{identifier(parts[0][2])} RENAME TO {identifier(name)}")
        con.execute(f"ALTER TABLE source.{identifier(name)} ADD COLUMN _file INTEGER DEFAULT 1")
    else:
        con.execute(
            f"CREATE TABLE source.{identifier(name)} AS {' UNION ALL BY NAME '.join(selects)}"
        )
        for _, _, part in parts:
            con.execute(f"DROP TABLE source.{identifier(part)}")
    columns = tuple(dict.fromkeys(column for _, loaded, _ in parts for column in loaded.columns))
    rows = sum(loaded.rows for _, loaded, _ in parts)
    broken = sum(len(loaded.broken) for _, loaded, _ in parts)
    return _relation(name, columns, rows, [file for file, _, _ in parts], broken)


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
