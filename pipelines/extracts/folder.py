"""Find the files of an extract folder, judge each file as a whole, and read the good ones into DuckDB."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import UserError
from pipelines.extracts import contract, contract_sql, validation
from pipelines.extracts import files as extracts_files
from pipelines.warehouse import snapshots

DATED = re.compile(r"\d{4}-\d\d-\d\d|\d{8}")


@dataclass(frozen=True)
class ManifestRow:
    """What the source says of one table."""

    extracted_at: dt.datetime
    row_count: int | None
    complete: bool
    horizon_on: dt.date | None


@dataclass(frozen=True)
class Folder:
    """The files of one extract folder, by table, and what its manifest says of them."""

    path: Path
    files: dict[str, tuple[Path, ...]]
    manifest: dict[str, ManifestRow]
    notes: tuple[str, ...]


def find(path: Path) -> Folder:
    """Say which files of a folder hold which table; UserError if there is nothing to read."""
    files: dict[str, tuple[Path, ...]] = {}
    notes: list[str] = []
    try:
        for entry in _listed(path):
            table = _table_of(entry)
            if table not in contract.TABLES and table != "manifest":
                notes.append(f"{entry.name} is not one of the tables and is ignored")
                continue
            parts = (
                (entry,)
                if entry.is_file()
                else tuple(
                    part for part in _listed(entry) if _stem(part) is not None and part.is_file()
                )
            )
            if table in files:
                raise UserError(
                    f"{path}: {files[table][0].relative_to(path)} and {entry.name} both hold the table {table}; keep one of them"
                )
            if parts:
                files[table] = parts
            else:
                notes.append(f"{entry.name} holds no part of the table")
    except FileNotFoundError:
        raise UserError(f"{path}: no such folder") from None
    except NotADirectoryError:
        raise UserError(
            f"{path}: not a folder; give the folder that holds appointments.csv, …"
        ) from None
    except PermissionError as error:
        raise UserError(f"{error.filename}: no permission to read this folder") from None
    except OSError as error:  # a share that went away
        raise UserError(f"{error.filename}: cannot be read ({error.strerror})") from None
    manifest_files = files.pop("manifest", ())
    if not files:
        raise UserError(
            f"no extract table found in {path}; expected appointments.csv, cases.csv, patients.csv, … (or .csv.gz, .tsv, .parquet)"
        )
    manifest: dict[str, ManifestRow] = {}
    for file in manifest_files:
        manifest |= _read_manifest(file, notes)
    return Folder(path, files, manifest, tuple(notes))


def dated_folders(path: Path) -> list[Path]:
    """The sub-folders whose names start with a day (2026-11-03… or 20261103…), in the order of days and names."""
    try:
        folders = [entry for entry in path.iterdir() if entry.is_dir() and DATED.match(entry.name)]
    except OSError as error:
        raise UserError(f"{path}: cannot be listed ({error.strerror})") from None
    return sorted(folders, key=day_and_name)


def day_and_name(folder: Path) -> tuple[str, str, str]:
    """What dated folders are ordered by: the day as 20261103, then the rest with its numbers as numbers, so that _10 comes after _9."""
    day = DATED.match(folder.name)[0]
    rest = re.sub(r"\d+", lambda number: number[0].zfill(20), folder.name[len(day) :])
    return day.replace("-", ""), rest, folder.name


def moment_of(folder: Path) -> dt.datetime:
    """When a dated folder was extracted, by its manifest; without one, noon UTC of the day in its name."""
    known = [row.extracted_at for row in find(folder).manifest.values()]
    if known:
        return max(known)
    digits = "".join(character for character in folder.name if character.isdigit())[:8]
    try:
        return dt.datetime.strptime(digits, "%Y%m%d").replace(hour=12, tzinfo=dt.UTC)
    except ValueError:
        raise UserError(
            f"{folder}: its name starts with no day of the calendar, and it has no manifest to say when it was extracted"
        ) from None


def _listed(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if not entry.name.startswith((".", "_")))


def _stem(entry: Path) -> str | None:
    """The name without an ending we read; None for any other file."""
    name = entry.name.lower()
    return next(
        (
            name.removesuffix(suffix)
            for suffix in sorted(extracts_files.SUFFIXES, key=len, reverse=True)
            if name.endswith(suffix)
        ),
        None,
    )


def _table_of(entry: Path) -> str | None:
    return entry.name.lower() if entry.is_dir() else _stem(entry)


def _read_manifest(file: Path, notes: list[str]) -> dict[str, ManifestRow]:
    with snapshots.connect() as con:
        con.execute("CREATE SCHEMA extract")
        con.execute(contract_sql.table_sql("manifest"))
        try:
            part = extracts_files.load(
                con, "manifest", file, is_careful=not file.name.lower().endswith(".parquet")
            )  # a few lines: no need for haste
            lines = extracts_files.lines_of(part)
        except extracts_files.FileRefused as error:
            raise UserError(f"{file}: the manifest {error}") from None
        except (extracts_files.LinesUnknown, OSError):
            raise UserError(f"{file}: the manifest cannot be read") from None
        if len(part.broken):
            raise UserError(
                f"{file}, line {part.broken['line'].iloc[0]}: {part.broken['check'].iloc[0]}; the manifest must be sound"
            )
        refused = validation.refuse(con, "manifest", set())
        if len(refused):
            first = refused.sort_values("row").iloc[0]
            raise UserError(
                f"{file}, line {lines[first['row']]}, column {first['column']}: {first['check']}; the manifest must be sound"
            )
        rows = con.execute(
            'SELECT "table", extracted_at, row_count, complete, horizon_on FROM extract.manifest'
        ).fetchall()
    for name in sorted(row[0] for row in rows if row[0] not in contract.TABLES):
        notes.append(f"{file.name} speaks of {name}, which is not one of the tables")
    return {
        table: ManifestRow(extracted_at.replace(tzinfo=dt.UTC), row_count, complete, horizon_on)
        for table, extracted_at, row_count, complete, horizon_on in rows
    }
