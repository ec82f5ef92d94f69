"""Convert a foreign export to canonical extracts: one folder of SQL for each source.

Every CSV of the export becomes an all-text table `source.<file name>`. A source's `steps/*.sql`
become `step.<name>` and its `<table>.sql` become `canonical.<table>`; each file is one SELECT.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.extracts.records import DELIMITERS
from pipelines.sql_files import identifier, literal

HOME = Path(__file__).parent
HORIZON = "horizon"  # horizon.sql gives the last day that each table's files cover
SOURCE_ALIAS = re.compile(r"\bsource\.(\w+)\s+AS\s+(\w+)", re.IGNORECASE)
SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


class SourceColumn(NamedTuple):
    """A column of the export as a SQL text reads it."""

    file: str
    column: str
    alias: str
    sql: str


def names() -> list[str]:
    """The sources that can be imported, sorted."""
    return sorted(
        folder.name for folder in HOME.iterdir() if folder.is_dir() and any(folder.glob("*.sql"))
    )


def import_export(source: str, from_dir: Path, out: Path, as_of: dt.datetime) -> dict[str, int]:
    """Write the export in `from_dir` as CSV extracts with a manifest into `out`.

    They hold what was known at `as_of` (tz-aware). Returns the number of rows by table.
    """
    if source not in names():
        raise UserError(f"there is no source named {source}; known: {', '.join(names())}")
    folder, moment = HOME / source, as_of.astimezone(dt.UTC).replace(tzinfo=None)
    tables = _tables(folder)
    with duckdb.connect() as connection:
        _load(connection, folder, from_dir)
        for schema in ("step", "canonical"):
            connection.execute(f"CREATE SCHEMA {schema}")
        for path in sorted((folder / "steps").glob("*.sql")):
            _create(connection, f"step.{path.stem}", path, moment)
        for table in tables:
            _create(connection, f"canonical.{table}", folder / f"{table}.sql", moment)
            _check_columns(connection, table, folder / f"{table}.sql")
        rows = {
            table: connection.execute(f"SELECT count(*) FROM canonical.{table}").fetchall()[0][0]
            for table in tables
        }
        _create_manifest(connection, rows, _horizons(connection, folder, moment), as_of)
        _write(connection, [*tables, "manifest"], from_dir, out)
    return rows


def _tables(folder: Path) -> list[str]:
    """The canonical tables a source provides, parents first, so that a table may read those."""
    provided = {path.stem for path in folder.glob("*.sql")} - {HORIZON}
    for name in sorted(provided - set(contract.TABLES)):
        raise UserError(
            f"{folder.name}/{name}.sql: {name} is not a table of the contract "
            "(what several tables share goes into steps/)"
        )
    return [table for table in contract.TABLES if table in provided]


def _load(connection: duckdb.DuckDBPyConnection, folder: Path, from_dir: Path) -> None:
    """Load every CSV of the export as text.

    UserError names the first file or column that the source's SQL reads and the export lacks.
    """
    try:
        found = {
            path.stem.lower(): path
            for path in sorted(from_dir.iterdir())
            if path.suffix.lower() == ".csv"
        }
    except OSError as error:
        raise UserError(f"{from_dir}: cannot read this folder ({error.strerror})") from None
    needed = _needed_columns(folder)
    connection.execute("CREATE SCHEMA source")
    for file in sorted(needed):
        if file not in found:
            raise UserError(f"{from_dir}: {file}.csv is missing; the source {folder.name} reads it")
    for file, path in found.items():
        header = _load_file(connection, file, path)
        for column in sorted(needed.get(file, set()) - header):
            raise UserError(
                f"{path}: the column {column} is missing; the source {folder.name} reads it"
            )


def _load_file(connection: duckdb.DuckDBPyConnection, file: str, path: Path) -> set[str]:
    """Create `source.<file>` from a CSV with a header; its column names in lower case."""
    header, delimiter = _header(path)
    # Part of the SQL: as a parameter, a dict with the keys "key" and "value" would become a MAP.
    columns = ", ".join(f"{identifier(name)}: 'VARCHAR'" for name in header)
    try:
        connection.execute(
            f"CREATE TABLE source.{identifier(file)} AS FROM read_csv($path, "
            f"columns = {{{columns}}}, delim = $delimiter, "
            "quote = '\"', escape = '\"', header = true, auto_detect = false)",
            {"path": str(path), "delimiter": delimiter},
        )
    except duckdb.Error as error:  # its message quotes the line, which may hold a patient's values
        line = re.search(r"Line: (\d+)", str(error))
        raise UserError(
            f"{path}{f', line {line[1]}' if line else ''}: not a row of {len(header)} columns "
            "in UTF-8, as the header says"
        ) from None
    return {name.lower() for name in header}


def _header(path: Path) -> tuple[list[str], str]:
    """The column names on the first line of a CSV, and its delimiter."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
    except OSError as error:
        raise UserError(f"{path}: cannot read this file ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}, line 1: not UTF-8") from None
    delimiter = max(DELIMITERS, key=first.count)
    header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    if not any(header):
        raise UserError(f"{path}: the file is empty; a header line is expected")
    earlier: set[str] = set()
    for number, name in enumerate(header, start=1):
        if not name or name.lower() in earlier:
            problem = "the name of an earlier one" if name else "no name"
            raise UserError(f"{path}, line 1: column {number} has {problem}")
        earlier.add(name.lower())
    return header, delimiter


def _source_columns(folder: Path) -> Iterator[SourceColumn]:
    """Each column of the export that a source's SQL reads.

    Within one SQL text, an alias must stand for one file.
    """
    for path in sorted(folder.rglob("*.sql")):
        sql = SQL_COMMENT.sub("", path.read_text(encoding="utf-8"))
        for file, alias in SOURCE_ALIAS.findall(sql):
            for column in re.findall(rf"\b{alias}\.(\w+)", sql):
                yield SourceColumn(file.lower(), column.lower(), alias, sql)


def _needed_columns(folder: Path) -> dict[str, set[str]]:
    needed: dict[str, set[str]] = {}
    for read in _source_columns(folder):
        needed.setdefault(read.file, set()).add(read.column)
    return needed


def _create(
    connection: duckdb.DuckDBPyConnection, name: str, path: Path, moment: dt.datetime
) -> None:
    """Create the table `name` from the one SELECT in `path`.

    `moment` is its parameter $as_of, if it has one: UTC without zone.
    """
    sql = path.read_text(encoding="utf-8")
    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1:
            problem = "more than one statement" if statements else "no SELECT"
            raise UserError(f"{path.relative_to(HOME)}: holds {problem}")
        parameters = {"as_of": moment} if "as_of" in statements[0].named_parameters else None
        connection.execute(f"CREATE TABLE {name} AS {sql}", parameters)
    except duckdb.ConversionException:  # its message quotes the text
        raise UserError(_unreadable_text(connection, path)) from None
    except duckdb.Error as error:
        raise UserError(f"{path.relative_to(HOME)}: {str(error).splitlines()[0]}") from None


def _unreadable_text(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    """Say which file, row and column holds a text that a CAST of the source's SQL rejects."""
    folder = path.parent.parent if path.parent.name == "steps" else path.parent
    for file, column, alias, sql in _source_columns(folder):
        for sql_type in re.findall(rf"CAST\({alias}\.{column} AS (\w+)\)", sql, re.IGNORECASE):
            row = connection.execute(
                f"SELECT min(rowid) + 1 FROM source.{identifier(file)} AS s "
                f"WHERE s.{column} IS NOT NULL AND TRY_CAST(s.{column} AS {sql_type}) IS NULL"
            ).fetchall()[0][0]
            if row is not None:
                return f"{file}.csv, data row {row}, column {column}: the text is not a {sql_type}"
    return f"{path.relative_to(HOME)}: a text of the export is not of the type this SQL casts it to"


def _check_columns(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    found = [row[0] for row in connection.execute(f"DESCRIBE canonical.{table}").fetchall()]
    wanted = [column.name for column in contract.columns(table)]
    if found != wanted:
        raise UserError(
            f"{path.relative_to(HOME)}: gives the columns {', '.join(found)}; "
            f"the contract wants {', '.join(wanted)}, in this order"
        )


def _horizons(
    connection: duckdb.DuckDBPyConnection, folder: Path, moment: dt.datetime
) -> dict[str, dt.date]:
    """The last day the export covers, by table; empty for a source without horizon.sql."""
    if not (folder / f"{HORIZON}.sql").exists():
        return {}
    _create(connection, "step.horizon", folder / f"{HORIZON}.sql", moment)
    sql = "SELECT h.table_name, h.horizon_on FROM step.horizon AS h"
    return dict(connection.execute(sql).fetchall())


def _create_manifest(
    connection: duckdb.DuckDBPyConnection,
    rows: Mapping[str, int],
    horizons: Mapping[str, dt.date],
    as_of: dt.datetime,
) -> None:
    connection.execute(
        'CREATE TABLE canonical.manifest ("table" VARCHAR, extracted_at VARCHAR, '
        "row_count INTEGER, complete BOOLEAN, horizon_on DATE)"
    )
    extracted_at = as_of.astimezone(dt.UTC).isoformat()
    connection.executemany(
        "INSERT INTO canonical.manifest VALUES (?, ?, ?, true, ?)",
        [
            [table, extracted_at, row_count, horizons.get(table)]
            for table, row_count in rows.items()
        ],
    )


def _write(
    connection: duckdb.DuckDBPyConnection, tables: list[str], from_dir: Path, out: Path
) -> None:
    """Write each table as CSV, sorted by key, the manifest last; `out` gets whole files only."""
    if out.resolve() == from_dir.resolve():
        raise UserError(f"{out}: is the folder of the export; choose another for the extracts")
    # Left by another source or a sample, such a file would be read as part of this extract.
    for other in sorted(set(contract.TABLES) - set(tables)):
        if (out / f"{other}.csv").exists():
            raise UserError(
                f"{out}: holds {other}.csv, which this source does not give; choose an empty folder"
            )
    unfinished: Path | None = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".importing-", dir=out))
        for table in tables:
            key = identifier(contract.key_of(table))
            connection.execute(
                f"COPY (SELECT * FROM canonical.{table} AS t ORDER BY t.{key} NULLS LAST) "
                f"TO {literal(unfinished / f'{table}.csv')} "
                "(FORMAT csv, HEADER, DATEFORMAT '%Y-%m-%d', TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S')"
            )
        for table in tables:
            os.replace(unfinished / f"{table}.csv", out / f"{table}.csv")
    except (OSError, duckdb.IOException) as error:
        why = getattr(error, "strerror", None) or "no space or no permission"
        raise UserError(f"{out}: cannot write the extracts here ({why})") from None
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
