"""Find the files of an extract folder, judge each file as a whole, and read the good ones into DuckDB."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import duckdb
import pandas as pd

from pipelines.extracts import contract, contract_sql, rejected, validation
from pipelines.extracts import files as extracts_files
from pipelines.extracts.folder import Folder, ManifestRow


class Stager(Protocol):
    """Stages each table as soon as it is read; pipelines/staging/stage.py is the one of a run."""

    def load_fast(
        self, table: str, path: Path, readable: set[str]
    ) -> tuple[int, extracts_files.Layout] | None:
        """Stage a sound file in one pass: rows and layout, or None with nothing left behind."""

    def load_by_line(self, table: str, *, is_accepted: bool) -> None:
        """Stage what was read into extract.<table>."""

    def drop(self, table: str) -> None:
        """Take back what `load_fast` staged."""


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
    con.execute(
        "CREATE OR REPLACE TABLE extract.refused_ids (table_name VARCHAR, id_table VARCHAR, id_value VARCHAR)"
    )
    con.execute(
        "CREATE OR REPLACE TABLE extract.refused_unattributable (table_name VARCHAR, n BIGINT)"
    )
    done: list[TableRead] = []
    for table in contract.TABLES:
        readable = {earlier.table for earlier in done if earlier.status == "accepted"}
        outcome = stager and _read_sound(
            stager, table, folder, previous.get(table), max_loss, readable
        )
        if outcome is None:
            try:
                outcome = _read_table(
                    con,
                    table,
                    folder,
                    previous.get(table),
                    rejected_dir,
                    max_loss,
                    readable,
                    is_careful=False,
                )
            except extracts_files.LinesUnknown:
                outcome = _read_table(
                    con,
                    table,
                    folder,
                    previous.get(table),
                    rejected_dir,
                    max_loss,
                    readable,
                    is_careful=True,
                )
            con.execute(f"ALTER TABLE extract.{table} DROP COLUMN _text")
            if stager:
                stager.load_by_line(table, is_accepted=outcome.status == "accepted")
        done.append(outcome)
    return done


def _read_sound(
    stager: Stager,
    table: str,
    folder: Folder,
    before: Previous | None,
    max_loss: float,
    readable: set[str],
) -> TableRead | None:
    """Read and stage a table in one pass; None, with nothing done, where there is anything to say against it."""
    files, stated = folder.files.get(table, ()), folder.manifest.get(table)
    # What had refused rows yesterday is likely to have some today, and would be read twice.
    if (
        len(files) != 1
        or _reason_unread(stated, before) is not None
        or (before is not None and before.rows_refused)
    ):
        return None
    try:
        state = _state(files[0])
        found = stager.load_fast(table, files[0], readable)
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
    con.execute(contract_sql.table_sql(table))
    stated = folder.manifest.get(table)
    outcome = TableRead(
        table,
        "missing",
        f"{table}: no file of this table in the folder",
        horizon_on=stated and stated.horizon_on,
    )
    if table not in folder.files:
        return outcome
    files = folder.files[table]
    outcome = replace(
        outcome,
        status="refused",
        extracted_at=stated and stated.extracted_at,
        files=tuple(str(f.relative_to(folder.path)) for f in files),
    )
    reason = _reason_unread(stated, before)
    parts: list[extracts_files.Part] = []
    if reason is None:
        parts, reason = _load_parts(con, table, files, is_careful)
    rows_read = (
        sum(part.rows + len(part.broken) for part in parts)
        if len(parts) == len(files)
        else sum(extracts_files.rows_in(con, f) for f in files)
    )
    reason = reason or _reason_short(rows_read, stated, before, max_loss)
    if reason is not None:
        con.execute(f"DELETE FROM extract.{table}")
        named = (
            f"{outcome.files[0] if len(files) == 1 else table} {reason}"
            if not reason.startswith(outcome.files)
            else reason
        )
        return replace(outcome, reason=named, rows_read=rows_read, rows_refused=rows_read)
    refused = _located(validation.refuse(con, table, readable), parts, outcome.files)
    rejected.keep_refused(con, table, refused, rejected_dir)
    return replace(
        outcome,
        status="accepted",
        reason=None,
        rows_read=rows_read,
        rows_staged=rows_read - len(refused),
        rows_refused=len(refused),
        warnings=tuple(_warnings([part.layout for part in parts], outcome.files)),
    )


def _reason_unread(stated: ManifestRow | None, before: Previous | None) -> str | None:
    """Why a file is not worth opening, from what is said about it."""
    if stated is not None and not stated.complete:
        return "is not complete, says the manifest"
    if (
        stated is not None
        and before is not None
        and before.extracted_at is not None
        and stated.extracted_at < before.extracted_at
    ):
        return "is older than the one before"
    return None


def _reason_short(
    rows_read: int, stated: ManifestRow | None, before: Previous | None, max_loss: float
) -> str | None:
    if stated is not None and stated.row_count is not None:
        if rows_read < stated.row_count:
            return f"has {rows_read:,} rows where the manifest says {stated.row_count:,}"
    elif before is not None and rows_read < (1 - max_loss) * before.rows_read:
        return f"has {rows_read:,} rows where the run before read {before.rows_read:,}: more than {max_loss:.0%} are gone"
    return None


def _load_parts(
    con: duckdb.DuckDBPyConnection, table: str, files: tuple[Path, ...], is_careful: bool
) -> tuple[list[extracts_files.Part], str | None]:
    """Load the files one after the other; the second value says why they cannot be used."""
    parts: list[extracts_files.Part] = []
    for file in files:
        name = file.name if len(files) == 1 else f"{file.parent.name}/{file.name}"
        try:
            before = _state(file)
            part = extracts_files.load(con, table, file, is_careful=is_careful)
            if _state(file) != before:
                return parts, f"{name} was replaced while it was being read"
        except extracts_files.FileRefused as error:
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


def _located(
    refused: pd.DataFrame, parts: list[extracts_files.Part], names: tuple[str, ...]
) -> pd.DataFrame:
    """Give refused rows their file and line, and put the broken records with them, in the order of the files."""
    if refused.empty and all(part.broken.empty for part in parts):
        return refused
    frames = []
    for part, name in zip(parts, names, strict=True):
        mine = refused[
            (refused["row"] >= part.first_row) & (refused["row"] < part.first_row + part.rows)
        ]
        if len(mine):
            mine = mine.assign(
                line=extracts_files.lines_of(part)[
                    (mine["row"] - part.first_row).to_numpy(dtype="int64")
                ]
            )
        here = [
            frame
            for frame in (mine, part.broken.assign(column="", is_duplicate=False, bad_ids=None))
            if len(frame)
        ]
        frames += (
            [
                pd.concat(here, ignore_index=True)
                .assign(file=name)
                .sort_values("line", kind="stable")
            ]
            if here
            else []
        )
    return (
        pd.concat(frames, ignore_index=True) if frames else refused.iloc[:0].assign(file="", line=0)
    )


def _warnings(layouts: list[extracts_files.Layout], names: tuple[str, ...]) -> Iterator[str]:
    for layout, name in zip(layouts, names, strict=True):
        if layout.unknown:
            columns = ", ".join(layout.unknown)
            yield f"{name}: unknown column{'s' if len(layout.unknown) > 1 else ''} ignored: {columns}"
