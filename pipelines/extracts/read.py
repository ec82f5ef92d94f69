"""Read the files of a run into DuckDB: each table is accepted, refused or missing as a whole.

A table is first read in one pass straight into its staged table. Where that fails, it is read again
by line, which can say which rows are invalid and where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import duckdb
import pandas as pd

from pipelines.extracts import contract, contract_sql, files, rejected, validation
from pipelines.extracts.files import Part
from pipelines.extracts.folder import Folder, ManifestRow
from pipelines.extracts.outcome import Doubt, Limits, Previous, TableRead, how_to_accept
from pipelines.extracts.records import FileRefused, Layout

DEFAULTS = Limits()
FEWEST_REFUSED = 20  # rows: fewer refuse no table, so that a small practice goes on


class Stager(Protocol):
    """Stages each table as soon as it is read; pipelines/staging/stage.py has the one of a run."""

    def load_fast(self, table: str, path: Path, accepted: Set[str]) -> tuple[int, Layout] | None:
        """Stage a valid file in one pass: rows and layout; None when it left nothing staged."""

    def load_by_line(self, table: str, *, is_accepted: bool) -> None:
        """Stage the rows that were read into extract.<table>."""

    def drop(self, table: str) -> None:
        """Remove what `load_fast` staged."""


@dataclass(frozen=True)
class TableInput:
    """One table of a delivery: its files, its manifest row, and the same table a run ago.

    `names` are the files as the user knows them, `accepted` the tables accepted so far; references
    to other tables are not checked.
    """

    table: str
    files: tuple[Path, ...]
    names: tuple[str, ...]
    stated: ManifestRow | None
    previous: Previous | None
    limits: Limits
    accepted: Set[str]

    @property
    def name(self) -> str:
        """The file's name, or the table's where it has several files."""
        return self.names[0] if len(self.files) == 1 else self.table

    def outcome(self, status: str) -> TableRead:
        """An outcome of no rows."""
        return TableRead(
            self.table,
            status,
            files=self.names,
            extracted_at=self.stated.extracted_at if self.stated and self.files else None,
            horizon_on=self.stated.horizon_on if self.stated else None,
            since_on=self.stated.since_on if self.stated and self.files else None,
            was_read_before=self.previous is not None,
        )

    def without_file(self) -> TableRead:
        """The outcome of a table of which the folder has no file."""
        if self.table in self.limits.absent:
            whose = "the source" if self.stated else "practice.absent in the settings"
            says = f"{self.table}: not connected, as {whose} says"
            return replace(self.outcome("absent"), reason=says)
        says = f"{self.table}: no file of this table in the folder"
        return replace(self.outcome("missing"), reason=says)

    def why_not_read(self) -> str | None:
        """Why the files are refused before they are opened, or None."""
        if self.stated is None:
            return None
        if self.stated.complete is False:
            why = f": {self.stated.note}" if self.stated.note else ""
            return f"is not complete according to its manifest{why}"
        before = self.previous.extracted_at if self.previous else None
        if before is not None and self.stated.extracted_at < before:
            return "is older than the one before"
        return None

    def why_too_short(self, rows: int) -> str | None:
        """Why this number of rows is not what the manifest says, or None."""
        stated = self.stated.row_count if self.stated else None
        if stated is None or rows >= stated:
            return None
        return f"has {rows:,} rows where the manifest says {stated:,}"

    def loss(self, rows: int) -> Doubt | None:
        """The doubt about so few rows, where no manifest counts them."""
        if self.previous is None or (self.stated and self.stated.row_count is not None):
            return None
        before = self.previous.rows_read
        if rows >= (1 - self.limits.max_loss) * before:
            return None
        says = (
            f"has {rows:,} rows where the run before read {before:,}: "
            f"more than {self.limits.max_loss:.0%} are gone"
        )
        return Doubt(f"loss/{self.table}", says, before - rows, before)

    def too_many_refused(self, refused: int, rows: int) -> Doubt | None:
        """The doubt about so many refused rows; what a person once accepted is usual."""
        if refused < FEWEST_REFUSED or refused <= self.limits.max_refused * rows:
            return None
        usual = self.previous.rows_refused if self.previous else 0
        if usual >= FEWEST_REFUSED and refused <= (1 + self.limits.max_refused) * usual:
            return None
        says = (
            f"has {refused:,} of {rows:,} rows refused: more than {self.limits.max_refused:.0%}; "
            "correct them at the source, they are kept with line, column and check"
        )
        return Doubt(f"refused/{self.table}", says, refused, rows)

    def refuses(self, doubt: Doubt | None) -> str | None:
        """Why the table is refused for this doubt; None when there is none or it is accepted."""
        if doubt is None or doubt.guard in self.limits.accepted:
            return None
        return f"{doubt.says} {how_to_accept([doubt.guard])}"


def read(
    con: duckdb.DuckDBPyConnection,
    folder: Folder,
    previous: Mapping[str, Previous],
    rejected_dir: Path,
    limits: Limits = DEFAULTS,
    stager: Stager | None = None,
) -> list[TableRead]:
    """Read every table of the contract, parents first, into schema extract.

    Refused rows go to rejected_dir/<table>.csv. A table that is missing or refused exists, but is
    empty. With a stager, each table is staged at once and extract.<table> keeps only its key.
    """
    con.execute("CREATE SCHEMA IF NOT EXISTS extract")
    rejected.create_tables(con)
    outcomes: list[TableRead] = []
    for table in contract.TABLES:
        of_table = folder.files.get(table, ())
        source = TableInput(
            table,
            of_table,
            tuple(map(folder.name_of, of_table)),
            folder.manifest.get(table),
            previous.get(table),
            limits,
            frozenset(earlier.table for earlier in outcomes if earlier.status == "accepted"),
        )
        outcome = _read_fast(source, stager) if stager else None
        if outcome is None:
            outcome = _read_by_line(con, source, rejected_dir)
            if stager:
                # An absent table has no rows: those that it once had are not kept.
                is_accepted = outcome.status in ("accepted", "absent")
                stager.load_by_line(table, is_accepted=is_accepted)
        outcomes.append(outcome)
    return outcomes


def _read_fast(source: TableInput, stager: Stager) -> TableRead | None:
    """Read and stage a valid table in one pass; None, with nothing staged, for any other."""
    # A table with refused rows in the last run is likely to have some now: do not read it twice.
    had_refused = source.previous is not None and source.previous.rows_refused > 0
    if len(source.files) != 1 or had_refused or source.why_not_read():
        return None
    (file,) = source.files
    try:
        state = _state(file)
        found = stager.load_fast(source.table, file, source.accepted)
    except OSError:
        return None
    if found is None:
        return None
    rows, layout = found
    if _is_changed(file, state) or source.why_too_short(rows) or source.loss(rows):
        stager.drop(source.table)
        return None
    return replace(
        source.outcome("accepted"),
        rows_read=rows,
        rows_staged=rows,
        warnings=tuple(_warnings([layout], source)),
    )


def _read_by_line(
    con: duckdb.DuckDBPyConnection, source: TableInput, rejected_dir: Path
) -> TableRead:
    try:
        outcome = _read_table(con, source, rejected_dir, by_record=False)
    except files.LinesUnknown:
        outcome = _read_table(con, source, rejected_dir, by_record=True)
    con.execute(f"ALTER TABLE extract.{source.table} DROP COLUMN _text")
    return outcome


def _read_table(
    con: duckdb.DuckDBPyConnection, source: TableInput, rejected_dir: Path, *, by_record: bool
) -> TableRead:
    table = source.table
    con.execute(contract_sql.table_sql(table))
    if not source.files:
        return source.without_file()
    parts: list[Part] = []
    reason = source.why_not_read()
    if reason is None:
        parts, reason = _load_parts(con, source, by_record=by_record)
    if len(parts) == len(source.files):
        rows_read = sum(part.rows + len(part.broken) for part in parts)
    else:
        rows_read = sum(files.rows_in(con, file) for file in source.files)
    reason = reason or source.why_too_short(rows_read)
    if reason is not None:
        return _refused(con, source, reason, rows_read)
    loss = source.loss(rows_read)
    doubts: tuple[Doubt, ...] = (loss,) if loss else ()
    reason = source.refuses(loss)
    if reason is not None:
        return replace(_refused(con, source, reason, rows_read), doubts=doubts)
    mended = validation.mend(con, table, source.accepted)
    invalid = _located(validation.refuse(con, table, source.accepted), parts, source.names)
    rejected.keep_refused(con, table, invalid, rejected_dir)
    # Of a duplicate, another row stays: nothing is missing.
    lost = len(invalid) - int(invalid["is_duplicate"].astype(bool).sum())
    refused = source.too_many_refused(lost, rows_read)
    doubts += (refused,) if refused else ()
    reason = source.refuses(refused)
    if reason is not None:
        return replace(_refused(con, source, reason, rows_read), doubts=doubts)
    return replace(
        source.outcome("accepted"),
        doubts=doubts,
        rows_read=rows_read,
        rows_staged=rows_read - len(invalid),
        rows_refused=len(invalid),
        warnings=(
            *_warnings([part.layout for part in parts], source),
            *(f"{source.name}: {says}" for says in mended),
        ),
    )


def _refused(
    con: duckdb.DuckDBPyConnection, source: TableInput, reason: str, rows_read: int
) -> TableRead:
    """The outcome of a table refused as a whole, which is left empty."""
    con.execute(f"DELETE FROM extract.{source.table}")
    if not reason.startswith(source.names):
        reason = f"{source.name} {reason}"
    return replace(
        source.outcome("refused"), reason=reason, rows_read=rows_read, rows_refused=rows_read
    )


def _load_parts(
    con: duckdb.DuckDBPyConnection, source: TableInput, *, by_record: bool
) -> tuple[list[Part], str | None]:
    """Load the files one after the other; the second value says why they are refused."""
    parts: list[Part] = []
    for file, name in zip(source.files, source.names, strict=True):
        try:
            before = _state(file)
            part = files.load(con, source.table, file, by_record=by_record)
            if _state(file) != before:
                return parts, f"{name} was replaced while it was being read"
        except FileRefused as error:
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


def _is_changed(file: Path, state: tuple[int, int, int]) -> bool:
    try:
        return _state(file) != state
    except OSError:
        return True


def _located(invalid: pd.DataFrame, parts: list[Part], names: tuple[str, ...]) -> pd.DataFrame:
    """Add file and line to invalid rows, and the broken records, in the order of the files."""
    if invalid.empty and all(part.broken.empty for part in parts):
        return invalid
    frames: list[pd.DataFrame] = []
    for part, name in zip(parts, names, strict=True):
        end = part.first_row + part.rows
        rows = invalid[(invalid["row"] >= part.first_row) & (invalid["row"] < end)]
        if len(rows):
            position = (rows["row"] - part.first_row).to_numpy(dtype="int64")
            rows = rows.assign(line=files.lines_of(part)[position])
        broken = part.broken.assign(column="", is_duplicate=False, bad_ids=None)
        found = [frame for frame in (rows, broken) if len(frame)]
        if found:
            joined = pd.concat(found, ignore_index=True).assign(file=name)
            frames.append(joined.sort_values("line", kind="stable"))
    if not frames:
        return invalid.iloc[:0].assign(file="", line=0)
    return pd.concat(frames, ignore_index=True)


def _warnings(layouts: list[Layout], source: TableInput) -> Iterator[str]:
    if source.table in source.limits.absent:
        yield (
            f"{source.name}: practice.absent in the settings is out of date: it names "
            f"{source.table}, which was delivered and is read"
        )
    for layout, name in zip(layouts, source.names, strict=True):
        yield from (f"{name}: {says}" for says in layout.warnings())
