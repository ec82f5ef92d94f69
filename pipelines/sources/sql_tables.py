"""Tables that a SELECT of the source makes, where a mapping cannot say it.

A source's `steps/*.sql` become `step.<name>` and its `<table>.sql` become `canonical.<table>`; each
file is one SELECT that may read `source.<file>`, `step.<step>` and tables made before it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.sources.compiling import Problem
from pipelines.sources.delivery import FILE, Catalogue, Relation, like
from pipelines.sources.mapping import HORIZON, SourceMapping
from pipelines.sql_files import identifier

SOURCE_ALIAS = re.compile(r"\bsource\.(\w+)\s+AS\s+(\w+)", re.IGNORECASE)
STEP = re.compile(r"\b(?:step|canonical)\.(\w+)", re.IGNORECASE)
CANONICAL = re.compile(r"\bcanonical\.(\w+)", re.IGNORECASE)
SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
OUR_COLUMNS = (FILE, "_line", "full_url")  # what loading adds to every file
FIRST_DAYS = {  # what tells since when a patient is known, where there are no cases
    "appointments": ("patient_id", "starts_at"),
    "payments": ("patient_id", "date_of_service"),
    "policies": ("patient_id", "created_at"),
}
MAKE_CASES = ("patients", *FIRST_DAYS)  # what one case for each patient is made of


class SqlTables:
    """The tables that the SQL files of a source make from one delivery."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        source: SourceMapping,
        catalogue: Catalogue,
        moment: dt.datetime,
    ) -> None:
        self.con, self.source, self.catalogue, self.moment = con, source, catalogue, moment
        self.missing_steps: dict[str, str] = {}

    def make_steps(self) -> None:
        """Make what several tables share; a step that lacks a file or column is left out."""
        self.con.execute("CREATE SCHEMA IF NOT EXISTS step")
        for name, path in self.source.steps().items():
            try:
                why = self._missing(path)
                if why is None:
                    _create(self.con, f"step.{name}", path, self.moment)
            except UserError as error:
                why = str(error)
            if why is not None:
                self.missing_steps[name] = why

    def make(self, table: str) -> list[Problem]:
        """Make a table; what it lacks, or what is wrong with its SQL."""
        path = self.source.sql_files()[table]
        try:
            why = self._missing(path)
            if why is None:
                _create(self.con, f"canonical.{table}", path, self.moment)
                _check_columns(self.con, table, path)
        except UserError as error:
            self.con.execute(f"DROP TABLE IF EXISTS canonical.{table}")
            why = str(error)
        return [] if why is None else [Problem(table, None, why)]

    def make_as(self, name: str, table: str) -> str | None:
        """Make a table as `name`, with whatever columns; what it lacks, None if nothing."""
        path = self.source.sql_files()[table]
        why = self._missing(path)
        if why is None:
            _create(self.con, name, path, self.moment)
        return why

    def _missing(self, path: Path) -> str | None:
        return self.lacks(_sql(path))

    def lacks(self, sql: str) -> str | None:
        """The file, column or step that SQL reads and that is not there, None if all is."""
        for file, columns in _source_columns(sql):
            relation = self.catalogue.relations.get(file)
            if relation is None:
                return f"the delivery has no file {file}"
            for column in columns:
                if relation.column(column) is None and column not in OUR_COLUMNS:
                    return f"{relation.files[0]} has no column {column}"
                _name_as(self.con, relation, column)
        made = {
            name
            for (name,) in self.con.execute(
                "SELECT t.table_name FROM duckdb_tables() AS t"
                " WHERE t.schema_name IN ('step', 'canonical')"
            ).fetchall()
        }
        for name in STEP.findall(sql):
            if name in self.missing_steps:
                return self.missing_steps[name]
            if name not in made and name in contract.TABLES:
                return f"there is no table {name} to read"
        return None


def horizons(
    con: duckdb.DuckDBPyConnection, source: SourceMapping, at: dt.datetime
) -> dict[str, dt.date]:
    """The last day the export covers, by table; empty for a source without horizon.sql."""
    path = source.sql_files().get(HORIZON)
    if path is None:
        return {}
    try:
        _create(con, "step.horizon", path, at.astimezone(dt.UTC).replace(tzinfo=None))
    except UserError:
        return {}
    sql = "SELECT h.table_name, h.horizon_on FROM step.horizon AS h"
    return dict(con.execute(sql).fetchall())


def reads_of(source: SourceMapping, table: str) -> tuple[list[str], list[str]]:
    """The files and the tables made before that a table's SQL reads, its steps' included."""
    path = source.sql_files().get(table)
    return reads_in(source, [_sql(path)] if path is not None else [])


def reads_in(source: SourceMapping, sql: Sequence[str]) -> tuple[list[str], list[str]]:
    """The files and the tables made before that SQL texts read, their steps' included."""
    steps = source.steps()
    seen: list[str] = []
    waiting = list(sql)
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.append(one)
        waiting += [_sql(steps[name]) for name in STEP.findall(one) if name in steps]
    files = {file for one in seen for file, _ in _source_columns(one)}
    tables = {name.lower() for one in seen for name in CANONICAL.findall(one)}
    return sorted(files), sorted(tables)


def made(con: duckdb.DuckDBPyConnection) -> set[str]:
    """The tables of the contract that are made."""
    sql = "SELECT t.table_name FROM duckdb_tables() AS t WHERE t.schema_name = 'canonical'"
    return {name for (name,) in con.execute(sql).fetchall()}


def one_case_a_patient(con: duckdb.DuckDBPyConnection) -> str | None:
    """The SELECT of one case for each patient of canonical.patients, None without patients."""
    there = made(con)
    if "patients" not in there:
        return None
    days = [
        f"SELECT x.{patient} AS patient_id, LEFT(CAST(x.{day} AS VARCHAR), 10) AS on_day "
        f"FROM canonical.{table} AS x"
        for table, (patient, day) in FIRST_DAYS.items()
        if table in there
    ]
    known = " UNION ALL ".join(days) or "SELECT NULL AS patient_id, NULL AS on_day LIMIT 0"
    lines = {
        "case_id": "p.patient_id",
        "patient_id": "p.patient_id",
        "facility_id": "p.facility_id",
        "opened_on": "COALESCE(CAST(MIN(TRY_CAST(k.on_day AS DATE)) AS VARCHAR), $today)",
    }
    columns = ", ".join(
        f"{lines.get(column.name, 'NULL')} AS {identifier(column.name)}"
        for column in contract.columns("cases")
    )
    return (
        f"SELECT {columns} FROM canonical.patients AS p LEFT JOIN ({known}) AS k "
        "ON k.patient_id = p.patient_id GROUP BY p.patient_id, p.facility_id"
    )


def _sql(path: Path) -> str:
    return SQL_COMMENT.sub("", path.read_text(encoding="utf-8"))


def _source_columns(sql: str) -> Iterator[tuple[str, list[str]]]:
    """The files of the export that SQL reads, with their columns.

    Within one SQL text, an alias must stand for one file.
    """
    for file, alias in SOURCE_ALIAS.findall(sql):
        columns = re.findall(rf"\b{alias}\.(\w+)", sql) + re.findall(rf'\b{alias}\."([^"]+)"', sql)
        yield file.lower(), list(dict.fromkeys(columns))


def _name_as(con: duckdb.DuckDBPyConnection, relation: Relation, wanted: str) -> None:
    """Name a column as SQL writes it: a file's Patient ID is the patient_id of the SQL."""
    table = f"source.{identifier(relation.name)}"
    names = [row[0] for row in con.execute(f"DESCRIBE {table}").fetchall()]
    found = like(wanted, names)
    if found is None or wanted.lower() in map(str.lower, names):
        return
    # The name of the file stays, too: a mapping may read it.
    con.execute(f"ALTER TABLE {table} ADD COLUMN {identifier(wanted)} VARCHAR")
    con.execute(f"UPDATE {table} SET {identifier(wanted)} = {identifier(found)}")


def _create(con: duckdb.DuckDBPyConnection, name: str, path: Path, moment: dt.datetime) -> None:
    """Create the table `name` from the one SELECT in `path`.

    `moment` is its parameter $as_of, if it has one: UTC without zone.
    """
    sql = path.read_text(encoding="utf-8")
    said = f"{path.parent.name}/{path.name}"
    try:
        statements = con.extract_statements(sql)
        if len(statements) != 1:
            problem = "more than one statement" if statements else "no SELECT"
            raise UserError(f"{said}: holds {problem}")
        parameters = {"as_of": moment} if "as_of" in statements[0].named_parameters else None
        con.execute(f"CREATE TABLE {name} AS {sql}", parameters)
    except duckdb.ConversionException:  # its message quotes the text
        raise UserError(
            f"{said}: a text of the export is not of the type this SQL casts it to; "
            "write TRY_CAST, so that the contract refuses the row"
        ) from None
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        raise UserError(f"{said}: {str(error).splitlines()[0]}") from None
    except duckdb.Error as error:
        raise UserError(f"{said}: fails ({type(error).__name__})") from None


def _check_columns(con: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    found = [row[0] for row in con.execute(f"DESCRIBE canonical.{table}").fetchall()]
    wanted = [column.name for column in contract.columns(table)]
    if [name.lower() for name in found] == wanted:  # a file's Name is the contract's name
        for ours, theirs in zip(wanted, found, strict=True):
            if ours != theirs:
                renamed = f"RENAME COLUMN {identifier(theirs)} TO {identifier(ours)}"
                con.execute(f"ALTER TABLE canonical.{table} {renamed}")
    else:
        raise UserError(
            f"{path.parent.name}/{path.name}: gives the columns {', '.join(found)}; "
            f"the contract wants {', '.join(wanted)}, in this order"
        )
