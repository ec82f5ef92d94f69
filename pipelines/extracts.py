"""Find the files of an extract folder, judge each file as a whole, and read the good ones into DuckDB."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pandas as pd

from pipelines import contracts, judging, reading, warehouse
from pipelines.errors import UserError
from pipelines.stager import Stager

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


@dataclass(frozen=True)
class Previous:
    """What the last run that read the table found."""

    rows_read: int
    extracted_at: dt.datetime | None
    rows_refused: int = 0


@dataclass(frozen=True)
class TableRead:
    """The outcome for one table; status is accepted, refused or missing, and rows_read = rows_staged + rows_refused."""

    table: str
    status: str
    reason: str | None = None
    files: tuple[str, ...] = ()
    rows_read: int = 0
    rows_staged: int = 0
    rows_refused: int = 0
    extracted_at: dt.datetime | None = None
    horizon_on: dt.date | None = None
    warnings: tuple[str, ...] = ()


def find(path: Path) -> Folder:
    """Say which files of a folder hold which table; UserError if there is nothing to read."""
    files: dict[str, tuple[Path, ...]] = {}
    notes: list[str] = []
    try:
        for entry in _listed(path):
            table = _table_of(entry)
            if table not in contracts.TABLES and table != "manifest":
                notes.append(f"{entry.name} is not one of the tables and is ignored")
                continue
            parts = (entry,) if entry.is_file() else tuple(part for part in _listed(entry) if _stem(part) is not None and part.is_file())
            if table in files:
                raise UserError(f"{path}: {files[table][0].relative_to(path)} and {entry.name} both hold the table {table}; keep one of them")
            if parts:
                files[table] = parts
            else:
                notes.append(f"{entry.name} holds no part of the table")
    except FileNotFoundError:
        raise UserError(f"{path}: no such folder") from None
    except NotADirectoryError:
        raise UserError(f"{path}: not a folder; give the folder that holds appointments.csv, …") from None
    except PermissionError as error:
        raise UserError(f"{error.filename}: no permission to read this folder") from None
    except OSError as error:  # a share that went away
        raise UserError(f"{error.filename}: cannot be read ({error.strerror})") from None
    manifest_files = files.pop("manifest", ())
    if not files:
        raise UserError(f"no extract table found in {path}; expected appointments.csv, cases.csv, patients.csv, … (or .csv.gz, .tsv, .parquet)")
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
        raise UserError(f"{folder}: its name starts with no day of the calendar, and it has no manifest to say when it was extracted") from None


def _listed(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if not entry.name.startswith((".", "_")))


def _stem(entry: Path) -> str | None:
    """The name without an ending we read; None for any other file."""
    name = entry.name.lower()
    return next((name.removesuffix(suffix) for suffix in sorted(reading.SUFFIXES, key=len, reverse=True) if name.endswith(suffix)), None)


def _table_of(entry: Path) -> str | None:
    return entry.name.lower() if entry.is_dir() else _stem(entry)


def _read_manifest(file: Path, notes: list[str]) -> dict[str, ManifestRow]:
    with warehouse.connect() as con:
        con.execute("CREATE SCHEMA extract")
        con.execute(judging.table_sql("manifest"))
        try:
            part = reading.load(con, "manifest", file, is_careful=not file.name.lower().endswith(".parquet"))  # a few lines: no need for haste
            lines = reading.lines_of(part)
        except reading.FileRefused as error:
            raise UserError(f"{file}: the manifest {error}") from None
        except (reading.LinesUnknown, OSError):
            raise UserError(f"{file}: the manifest cannot be read") from None
        if len(part.broken):
            raise UserError(f"{file}, line {part.broken['line'].iloc[0]}: {part.broken['check'].iloc[0]}; the manifest must be sound")
        refused = judging.refuse(con, "manifest", set())
        if len(refused):
            first = refused.sort_values("row").iloc[0]
            raise UserError(f"{file}, line {lines[first['row']]}, column {first['column']}: {first['check']}; the manifest must be sound")
        rows = con.execute('SELECT "table", extracted_at, row_count, complete, horizon_on FROM extract.manifest').fetchall()
    for name in sorted(row[0] for row in rows if row[0] not in contracts.TABLES):
        notes.append(f"{file.name} speaks of {name}, which is not one of the tables")
    return {
        table: ManifestRow(extracted_at.replace(tzinfo=dt.UTC), row_count, complete, horizon_on)
        for table, extracted_at, row_count, complete, horizon_on in rows
    }


def read(
    con: duckdb.DuckDBPyConnection,
    folder: Folder,
    previous: dict[str, Previous],
    rejected_dir: Path,
    max_loss: float = 0.2,
    stager: Stager | None = None,
) -> list[TableRead]:
    """Read every table of the contract, parents first, into schema extract; refused rows go to rejected_dir/<table>.csv.

    A table that is missing or refused exists, but empty. max_loss is the share of rows a table without a manifest may lose between runs.
    With a stager each table is staged at once, and of its extract the key stays.
    """
    con.execute("CREATE SCHEMA IF NOT EXISTS extract")
    con.execute(
        "CREATE OR REPLACE TABLE extract.refused_rows (table_name VARCHAR, file VARCHAR, line BIGINT, column_name VARCHAR, check_name VARCHAR)"
    )
    con.execute("CREATE OR REPLACE TABLE extract.refused_ids (table_name VARCHAR, id_table VARCHAR, id_value VARCHAR)")
    con.execute("CREATE OR REPLACE TABLE extract.refused_unattributable (table_name VARCHAR, n BIGINT)")
    done: list[TableRead] = []
    for table in contracts.TABLES:
        readable = {earlier.table for earlier in done if earlier.status == "accepted"}
        outcome = stager and _read_sound(stager, table, folder, previous.get(table), max_loss, readable)
        if outcome is None:
            try:
                outcome = _read_table(con, table, folder, previous.get(table), rejected_dir, max_loss, readable, is_careful=False)
            except reading.LinesUnknown:
                outcome = _read_table(con, table, folder, previous.get(table), rejected_dir, max_loss, readable, is_careful=True)
            con.execute(f"ALTER TABLE extract.{table} DROP COLUMN _text")
            if stager:
                stager.long_way(table, is_accepted=outcome.status == "accepted")
        done.append(outcome)
    return done


def _read_sound(stager: Stager, table: str, folder: Folder, before: Previous | None, max_loss: float, readable: set[str]) -> TableRead | None:
    """Read and stage a table in one pass; None, with nothing done, where there is anything to say against it."""
    files, stated = folder.files.get(table, ()), folder.manifest.get(table)
    # What had refused rows yesterday is likely to have some today, and would be read twice.
    if len(files) != 1 or _reason_unread(stated, before) is not None or (before is not None and before.rows_refused):
        return None
    try:
        state = _state(files[0])
        found = stager.straight(table, files[0], readable)
    except OSError:
        return None
    if found is None:
        return None
    rows, layout = found
    if not _is_still(files[0], state) or _reason_short(rows, stated, before, max_loss) is not None:
        stager.drop(table)
        return None
    name = str(files[0].relative_to(folder.path))
    return TableRead(
        table,
        "accepted",
        None,
        (name,),
        rows,
        rows,
        0,
        stated and stated.extracted_at,
        stated and stated.horizon_on,
        tuple(_warnings([layout], (name,))),
    )


def _read_table(
    con: duckdb.DuckDBPyConnection,
    table: str,
    folder: Folder,
    before: Previous | None,
    rejected_dir: Path,
    max_loss: float,
    readable: set[str],
    *,
    is_careful: bool,
) -> TableRead:
    con.execute(judging.table_sql(table))
    stated = folder.manifest.get(table)
    outcome = TableRead(table, "missing", f"{table}: no file of this table in the folder", horizon_on=stated and stated.horizon_on)
    if table not in folder.files:
        return outcome
    files = folder.files[table]
    outcome = replace(
        outcome, status="refused", extracted_at=stated and stated.extracted_at, files=tuple(str(f.relative_to(folder.path)) for f in files)
    )
    reason = _reason_unread(stated, before)
    parts: list[reading.Part] = []
    if reason is None:
        parts, reason = _load_parts(con, table, files, is_careful)
    rows_read = sum(part.rows + len(part.broken) for part in parts) if len(parts) == len(files) else sum(reading.rows_in(con, f) for f in files)
    reason = reason or _reason_short(rows_read, stated, before, max_loss)
    if reason is not None:
        con.execute(f"DELETE FROM extract.{table}")
        named = f"{outcome.files[0] if len(files) == 1 else table} {reason}" if not reason.startswith(outcome.files) else reason
        return replace(outcome, reason=named, rows_read=rows_read, rows_refused=rows_read)
    refused = _located(judging.refuse(con, table, readable), parts, outcome.files)
    _keep_refused(con, table, refused, rejected_dir)
    return replace(
        outcome,
        status="accepted",
        reason=None,
        rows_read=rows_read,
        rows_staged=rows_read - len(refused),
        rows_refused=len(refused),
        warnings=tuple(_warnings([part.layout for part in parts], outcome.files)),
    )


def refused_kinds(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, int, int]]:
    """(file, column, check, rows, first line) of what `read` refused row by row, without values."""
    return con.execute(
        """SELECT r.file, r.column_name, r.check_name, COUNT(*), MIN(r.line)
        FROM extract.refused_rows AS r GROUP BY ALL ORDER BY ALL"""
    ).fetchall()


def _reason_unread(stated: ManifestRow | None, before: Previous | None) -> str | None:
    """Why a file is not worth opening, from what is said about it."""
    if stated is not None and not stated.complete:
        return "is not complete, says the manifest"
    if stated is not None and before is not None and before.extracted_at is not None and stated.extracted_at < before.extracted_at:
        return "is older than the one before"
    return None


def _reason_short(rows_read: int, stated: ManifestRow | None, before: Previous | None, max_loss: float) -> str | None:
    if stated is not None and stated.row_count is not None:
        if rows_read < stated.row_count:
            return f"has {rows_read:,} rows where the manifest says {stated.row_count:,}"
    elif before is not None and rows_read < (1 - max_loss) * before.rows_read:
        return f"has {rows_read:,} rows where the run before read {before.rows_read:,}: more than {max_loss:.0%} are gone"
    return None


def _load_parts(con: duckdb.DuckDBPyConnection, table: str, files: tuple[Path, ...], is_careful: bool) -> tuple[list[reading.Part], str | None]:
    """Load the files one after the other; the second value says why they cannot be used."""
    parts: list[reading.Part] = []
    for file in files:
        name = file.name if len(files) == 1 else f"{file.parent.name}/{file.name}"
        try:
            before = _state(file)
            part = reading.load(con, table, file, is_careful=is_careful)
            if _state(file) != before:
                return parts, f"{name} was replaced while it was being read"
        except reading.FileRefused as error:
            return parts, f"{name} {error}"
        except PermissionError:
            return parts, f"{name} cannot be opened: no permission to read it"
        except OSError as error:
            return parts, f"{name} cannot be read: {error.strerror or 'the file is damaged'}"
        parts.append(part)
        if part.is_cut_short:
            return parts, f"{name} is cut short: its last line ends in the middle of a row"
    return parts, None


def _state(file: Path) -> tuple[int, int, int]:
    stat = file.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _is_still(file: Path, state: tuple[int, int, int]) -> bool:
    try:
        return _state(file) == state
    except OSError:
        return False


def _located(refused: pd.DataFrame, parts: list[reading.Part], names: tuple[str, ...]) -> pd.DataFrame:
    """Give refused rows their file and line, and put the broken records with them, in the order of the files."""
    if refused.empty and all(part.broken.empty for part in parts):
        return refused
    frames = []
    for part, name in zip(parts, names, strict=True):
        mine = refused[(refused["row"] >= part.first_row) & (refused["row"] < part.first_row + part.rows)]
        if len(mine):
            mine = mine.assign(line=reading.lines_of(part)[(mine["row"] - part.first_row).to_numpy(dtype="int64")])
        here = [frame for frame in (mine, part.broken.assign(column="", is_duplicate=False, bad_ids=None)) if len(frame)]
        frames += [pd.concat(here, ignore_index=True).assign(file=name).sort_values("line", kind="stable")] if here else []
    return pd.concat(frames, ignore_index=True) if frames else refused.iloc[:0].assign(file="", line=0)


def _keep_refused(con: duckdb.DuckDBPyConnection, table: str, refused: pd.DataFrame, rejected_dir: Path) -> None:
    """Write the refused rows with their values to the rejected folder, and to DuckDB where they stand and which records they are about."""
    if refused.empty:
        return
    names = [column.name for column in contracts.columns(table)]
    path = rejected_dir / f"{table}.csv"
    try:
        rejected_dir.mkdir(parents=True, exist_ok=True)
        refused[["file", "line", "column", "check", *names]].to_csv(path, index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    except OSError as error:
        raise UserError(f"{path}: refused rows cannot be written ({error.strerror})") from None
    stands = refused[["file", "line", "column", "check"]].astype({"line": "int64"})
    con.register("refused_frame", stands)
    con.execute(f'INSERT INTO extract.refused_rows SELECT \'{table}\', file, line, "column", "check" FROM refused_frame')
    con.unregister("refused_frame")
    about = refused[refused["is_duplicate"] == False]  # noqa: E712  (an object column)
    ids = pd.DataFrame(_ids(table, about), columns=["id_table", "id_value"], dtype="str").drop_duplicates()
    con.register("refused_frame", ids)
    con.execute(f"INSERT INTO extract.refused_ids SELECT '{table}', id_table, id_value FROM refused_frame")
    con.unregister("refused_frame")
    # Whose record it is nobody can say when the key or a parent it must have cannot be read.
    needed = {column.name for column in contracts.columns(table) if column.is_key or (column.references and not column.is_nullable)}
    n = sum(bad is None or bool(needed & set(bad)) for bad in about["bad_ids"])
    if n:
        con.execute("INSERT INTO extract.refused_unattributable VALUES (?, ?)", [table, n])


def _ids(table: str, about: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """(table, id) for every id that can be read in rows that are whole."""
    for column in contracts.columns(table):
        if column.is_key or column.references:
            for value, bad in zip(about[column.name], about["bad_ids"], strict=True):
                if bad is not None and column.name not in bad and not pd.isna(value):
                    yield table if column.is_key else column.references, value


def _warnings(layouts: list[reading.Layout], names: tuple[str, ...]) -> Iterator[str]:
    for layout, name in zip(layouts, names, strict=True):
        if layout.unknown:
            columns = ", ".join(layout.unknown)
            yield f"{name}: unknown column{'s' if len(layout.unknown) > 1 else ''} ignored: {columns}"
