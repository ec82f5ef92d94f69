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
from pipelines.extracts import contract, contract_sql, files, validation
from pipelines.extracts.records import FileRefused
from pipelines.warehouse import snapshots

DATED = re.compile(r"\d{4}-\d\d-\d\d|\d{8}")


class FolderOrder(NamedTuple):
    """What dated folders are sorted by: the day as 20261103, then the rest of the name."""

    day: str
    rest: str  # numbers are padded, so that _10 comes after _9
    name: str


@dataclass(frozen=True)
class ManifestRow:
    """What the source states about one table; times are in UTC."""

    extracted_at: dt.datetime
    row_count: int | None
    complete: bool
    horizon_on: dt.date | None


@dataclass(frozen=True)
class Folder:
    """The files of one extract folder and its manifest, by table."""

    path: Path
    files: dict[str, tuple[Path, ...]]
    manifest: dict[str, ManifestRow]
    notes: tuple[str, ...]


def find(path: Path) -> Folder:
    """Find the files of each table; UserError if there is nothing to read."""
    notes: list[str] = []
    with _folder_errors(path):
        tables = _files_by_table(path, notes)
    manifest_files = tables.pop("manifest", ())
    if not tables:
        raise UserError(
            f"no extract table found in {path}; expected appointments.csv, cases.csv, "
            "patients.csv, … (or .csv.gz, .tsv, .parquet)"
        )
    manifest: dict[str, ManifestRow] = {}
    for file in manifest_files:
        manifest |= _read_manifest(file, notes)
    return Folder(path, tables, manifest, tuple(notes))


def dated_folders(path: Path) -> list[Path]:
    """Sub-folders whose names start with a day (2026-11-03… or 20261103…), oldest first."""
    try:
        folders = [entry for entry in path.iterdir() if entry.is_dir() and DATED.match(entry.name)]
    except OSError as error:
        raise UserError(f"{path}: cannot be listed ({error.strerror})") from None
    return sorted(folders, key=day_and_name)


def day_and_name(folder: Path) -> FolderOrder:
    """The sort key of a dated folder; ValueError for any other."""
    day = DATED.match(folder.name)
    if day is None:
        raise ValueError(f"{folder.name} starts with no day")
    rest = re.sub(r"\d+", lambda number: number[0].zfill(20), folder.name[day.end() :])
    return FolderOrder(day[0].replace("-", ""), rest, folder.name)


def moment_of(folder: Path) -> dt.datetime:
    """When a dated folder was extracted, by its manifest; else noon UTC of the day in its name."""
    stated = [row.extracted_at for row in find(folder).manifest.values()]
    if stated:
        return max(stated)
    digits = "".join(character for character in folder.name if character.isdigit())[:8]
    try:
        return dt.datetime.strptime(digits, "%Y%m%d").replace(hour=12, tzinfo=dt.UTC)
    except ValueError:
        raise UserError(
            f"{folder}: its name starts with no day of the calendar, "
            "and it has no manifest to say when it was extracted"
        ) from None


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


def _files_by_table(path: Path, notes: list[str]) -> dict[str, tuple[Path, ...]]:
    """The file of each table, or the parts in the folder of its name; `manifest` is one of them."""
    found: dict[str, tuple[Path, ...]] = {}
    for entry in _listed(path):
        table = _table_of(entry)
        if table is None or (table not in contract.TABLES and table != "manifest"):
            notes.append(f"{entry.name} is not one of the tables and is ignored")
            continue
        parts = (entry,) if entry.is_file() else tuple(_parts(entry))
        if table in found:
            raise UserError(
                f"{path}: {found[table][0].relative_to(path)} and {entry.name} "
                f"both hold the table {table}; keep one of them"
            )
        if parts:
            found[table] = parts
        else:
            notes.append(f"{entry.name} holds no part of the table")
    return found


def _listed(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if not entry.name.startswith((".", "_")))


def _parts(folder: Path) -> Iterator[Path]:
    return (part for part in _listed(folder) if _stem(part) is not None and part.is_file())


def _table_of(entry: Path) -> str | None:
    return entry.name.lower() if entry.is_dir() else _stem(entry)


def _stem(entry: Path) -> str | None:
    """The lower-case name without its suffix; None for a file that is not read."""
    name = entry.name.lower()
    for suffix in sorted(files.SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return None


def _read_manifest(file: Path, notes: list[str]) -> dict[str, ManifestRow]:
    with snapshots.connect() as con:
        con.execute("CREATE SCHEMA extract")
        con.execute(contract_sql.table_sql("manifest"))
        try:
            part = files.load(con, "manifest", file, by_record=not files.is_parquet(file))
            lines = files.lines_of(part)
        except FileRefused as error:
            raise UserError(f"{file}: the manifest {error}") from None
        except (files.LinesUnknown, OSError):
            raise UserError(f"{file}: the manifest cannot be read") from None
        if len(part.broken):
            first = part.broken.iloc[0]
            raise UserError(f"{file}, line {first['line']}: {first['check']}; correct the manifest")
        invalid = validation.refuse(con, "manifest", frozenset())
        if len(invalid):
            first = invalid.sort_values("row").iloc[0]
            raise UserError(
                f"{file}, line {lines[first['row']]}, column {first['column']}: {first['check']}; "
                "correct the manifest"
            )
        rows = con.execute(
            'SELECT "table", extracted_at, row_count, complete, horizon_on FROM extract.manifest'
        ).fetchall()
    for name in sorted(row[0] for row in rows if row[0] not in contract.TABLES):
        notes.append(f"{file.name} has a row for {name}, which is not one of the tables")
    return {
        table: ManifestRow(extracted_at.replace(tzinfo=dt.UTC), row_count, complete, horizon_on)
        for table, extracted_at, row_count, complete, horizon_on in rows
    }
