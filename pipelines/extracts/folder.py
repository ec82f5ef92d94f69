"""Find the files of an extract folder by table, and read its manifest."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import UserError
from pipelines.extracts import contract_sql, files, names, unpack, validation
from pipelines.extracts.records import FileRefused
from pipelines.warehouse import snapshots


class FolderOrder(NamedTuple):
    """What dated folders are sorted by: the day as 20261103, then the rest of the name."""

    day: str
    rest: str  # numbers are padded, so that _10 comes after _9
    name: str


@dataclass(frozen=True)
class ManifestRow:
    """What the source states about one table; times are in UTC.

    `complete` is None where it does not say; `note` is why a table is not complete.
    `connected` false: this practice never delivers the table."""

    extracted_at: dt.datetime
    row_count: int | None
    complete: bool | None
    horizon_on: dt.date | None
    since_on: dt.date | None = None
    note: str | None = None
    connected: bool | None = None


@dataclass(frozen=True)
class Folder:
    """The files of one extract folder and its manifest, by table."""

    path: Path
    files: dict[str, tuple[Path, ...]]
    manifest: dict[str, ManifestRow]
    notes: tuple[str, ...]

    @property
    def absent(self) -> frozenset[str]:
        """The tables of which the manifest says that this practice never delivers them."""
        return frozenset(
            table
            for table, row in self.manifest.items()
            if row.connected is False and table not in self.files
        )

    def name_of(self, file: Path) -> str:
        """A file as the user knows it: its path in the folder, or "book.xlsx, sheet Patients"."""
        return _shown(self.path, file)


@contextmanager
def opened(path: Path) -> Iterator[Folder]:
    """The files of each table in a folder, a zip, a workbook or a single file.

    What is packed is unpacked while the context lasts. UserError as in `find`.
    """
    with unpack.unpacked(path) as plain:
        if plain == path:
            found = find(path)
        else:
            try:
                found = find(plain)
            except UserError as error:  # the user knows no temporary folder
                raise UserError(str(error).replace(str(plain), str(path))) from None
        yield found


def find(path: Path) -> Folder:
    """Find the files of each table in a plain folder; UserError if there is nothing to read."""
    notes: list[str] = []
    with _folder_errors(path):
        tables = _files_by_table(path, notes)
    manifest_files = tables.pop("manifest", ())
    if not tables:
        raise UserError(
            f"no extract table found in {path}; expected appointments.csv, cases.csv, "
            "patients.csv, … (or .csv.gz, .tsv, .parquet, .xlsx, .zip)"
        )
    manifest: dict[str, ManifestRow] = {}
    for file in manifest_files:
        manifest |= _read_manifest(path, file, notes)
    return Folder(path, tables, manifest, tuple(notes))


def is_delivery(path: Path) -> bool:
    """Whether it is a delivery itself, and no folder of dated deliveries, by the names in it."""
    if path.is_file():
        return True
    with _folder_errors(path):
        entries = _listed(path)
        tables = {entry: _table_of(entry) for entry in entries}
    if any(named is not None and named.table != "manifest" for named in tables.values()):
        return True
    return any(
        unpack.is_packed(entry) and named is None and _dated(entry) is None
        for entry, named in tables.items()
    )


def dated_folders(path: Path) -> list[Path]:
    """Sub-folders, zips and workbooks whose names start with a day, oldest first.

    UserError for a name that starts like a day and is none: it has no place in the order.
    """
    try:
        entries = [entry for entry in path.iterdir() if entry.is_dir() or unpack.is_packed(entry)]
    except OSError as error:
        raise UserError(f"{path}: cannot be listed ({error.strerror})") from None
    return sorted((entry for entry in entries if is_dated(entry)), key=day_and_name)


def is_dated(folder: Path) -> bool:
    """Whether a delivery's name starts with a day; UserError where it only looks like one."""
    return _table_of(folder) is None and _dated(folder) is not None


def day_and_name(folder: Path) -> FolderOrder:
    """The sort key of a dated folder; ValueError for any other."""
    found = _dated(folder)
    if found is None:
        raise ValueError(f"{folder.name} starts with no day")
    rest = re.sub(r"[0-9]+", lambda number: number[0].zfill(20), found.rest)
    return FolderOrder(f"{found.day:%Y%m%d}", rest, folder.name)


def moment_of(folder: Path) -> dt.datetime:
    """When a dated folder was extracted, by its manifest; else noon UTC of the day in its name."""
    with opened(folder) as found:
        stated = [row.extracted_at for row in found.manifest.values()]
    if stated:
        return max(stated)
    named = _dated(folder)
    if named is None:
        raise UserError(
            f"{folder}: its name starts with no day of the calendar, "
            "and it has no manifest to say when it was extracted"
        )
    return dt.datetime.combine(named.day, dt.time(12), tzinfo=dt.UTC)


def _dated(folder: Path) -> names.DatedName | None:
    try:
        return names.dated(folder.name)
    except UserError as error:
        raise UserError(f"{folder.parent}/{error}") from None


@contextmanager
def _folder_errors(path: Path) -> Iterator[None]:
    """Turn errors of listing a folder into a UserError."""
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path}: no such folder") from None
    except NotADirectoryError:
        raise UserError(
            f"{path}: not a folder; give the folder that holds appointments.csv, …"
        ) from None
    except PermissionError as error:
        raise UserError(f"{error.filename}: no permission to read this folder") from None
    except OSError as error:  # a network share that went away
        raise UserError(f"{error.filename}: cannot be read ({error.strerror})") from None


class _Found(NamedTuple):
    """A file of a table, or the parts in a folder of its name; the day in that name, if any."""

    entry: Path
    day: dt.date | None
    parts: tuple[Path, ...]


def _files_by_table(path: Path, notes: list[str]) -> dict[str, tuple[Path, ...]]:
    """The file of each table, or the parts in the folder of its name; `manifest` is one of them."""
    found: dict[str, list[_Found]] = {}
    for entry in _listed(path):
        is_folder = entry.is_dir()
        named = _table_of(entry)
        if named is None or unpack.is_packed(entry):
            notes.append(f"{_shown(path, entry)} is not one of the tables and is ignored")
            continue
        parts = tuple(_parts(entry)) if is_folder else (entry,)
        if parts:
            found.setdefault(named.table, []).append(_Found(entry, named.day, parts))
        else:
            notes.append(f"{entry.name} holds no part of the table")
    if any(len(of_table) > 1 for of_table in found.values()):
        found = _of_the_newest_day(path, found, notes)
    return {table: of_table[0].parts for table, of_table in found.items()}


def _of_the_newest_day(
    path: Path, found: dict[str, list[_Found]], notes: list[str]
) -> dict[str, list[_Found]]:
    """The files of the newest day, where each file has a day; UserError where one has none."""
    days = [file.day for of_table in found.values() for file in of_table]
    newest = max((day for day in days if day is not None), default=None)
    of_newest: dict[str, list[_Found]] = {}
    for table, of_table in found.items():
        now = of_table if None in days else [file for file in of_table if file.day == newest]
        if len(now) > 1:
            first, second = (_shown(path, file.entry) for file in now[:2])
            raise UserError(
                f"{path}: {first} and {second} both hold the table {table}; keep one of them, "
                "or end every name with its day, as in appointments_20261103.csv"
            )
        notes.extend(
            f"{_shown(path, file.entry)} is older than the newest day, {newest}, and is ignored"
            for file in of_table
            if file not in now
        )
        if now:
            of_newest[table] = now
    return of_newest


def _table_of(entry: Path) -> names.TableName | None:
    """The table by the name of a folder of parts, a file that is read, or a packed one."""
    if unpack.is_packed(entry):
        return names.table_of(entry.stem)
    is_read = names.is_read(entry.name) or entry.is_dir()
    return names.table_of(entry.name) if is_read else None


def _shown(folder: Path, file: Path) -> str:
    return unpack.origin_of(file) or str(file.relative_to(folder))


def _listed(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if not entry.name.startswith((".", "_")))


def _parts(folder: Path) -> Iterator[Path]:
    return (part for part in _listed(folder) if names.is_read(part.name) and part.is_file())


def _read_manifest(folder: Path, file: Path, notes: list[str]) -> dict[str, ManifestRow]:
    name = _shown(folder, file)
    if name == file.name:
        name = str(file)
    with snapshots.connect() as con:
        con.execute("CREATE SCHEMA extract")
        con.execute(contract_sql.table_sql("manifest"))
        try:
            part = files.load(con, "manifest", file, by_record=not files.is_parquet(file))
            lines = files.lines_of(part)
        except FileRefused as error:
            raise UserError(f"{name}: the manifest {error}") from None
        except (files.LinesUnknown, OSError):
            raise UserError(f"{name}: the manifest cannot be read") from None
        if len(part.broken):
            first = part.broken.iloc[0]
            raise UserError(f"{name}, line {first['line']}: {first['check']}; correct the manifest")
        invalid = validation.refuse(con, "manifest", frozenset())
        if len(invalid):
            first = invalid.sort_values("row").iloc[0]
            raise UserError(
                f"{name}, line {lines[first['row']]}, column {first['column']}: {first['check']}; "
                "correct the manifest"
            )
        rows = con.execute(
            'SELECT "table", extracted_at, row_count, complete, horizon_on, since_on, note, '
            "connected FROM extract.manifest"
        ).fetchall()
    return _by_table(rows, name, notes)


def _by_table(
    rows: list[tuple],
    name: str,
    notes: list[str],
) -> dict[str, ManifestRow]:
    """The rows of a manifest by table; a row for Appointments.csv is about appointments."""
    found: dict[str, ManifestRow] = {}
    for word, extracted_at, *stated in sorted(rows, key=lambda row: row[0]):
        named = names.table_of(word)
        if named is None or named.table == "manifest":
            notes.append(f"{name} has a row for {word}, which is not one of the tables")
        elif named.table in found:
            raise UserError(f"{name}: has two rows for {named.table}; correct the manifest")
        else:
            found[named.table] = ManifestRow(extracted_at.replace(tzinfo=dt.UTC), *stated)
    return found
