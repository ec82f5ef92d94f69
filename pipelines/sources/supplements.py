"""Let a supplement change and add to the tables of the source that names it (`with`).

A supplement's `<table>.sql` gives the key of the table and the columns that it sets. A row whose
key the source has sets them; any other is added where the supplement may add to the table and what
it refers to is there, and is counted otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.sources.compiling import Problem
from pipelines.sources.delivery import Catalogue
from pipelines.sources.mapping import SourceMapping
from pipelines.sources.sql_tables import SqlTables
from pipelines.sql_files import identifier


class Supplements:
    """What the supplements of a source do to its tables; notes count what fits nowhere."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        source: SourceMapping,
        catalogue: Catalogue,
        moment: dt.datetime,
    ) -> None:
        self.con, self.source, self.catalogue, self.moment = con, source, catalogue, moment
        self.notes: list[str] = []
        self.problems: list[Problem] = []

    def apply(self) -> None:
        """Change the canonical tables."""
        self.con.execute("CREATE SCHEMA IF NOT EXISTS supplement")
        for supplement in self.source.supplements:
            made = SqlTables(self.con, supplement, self.catalogue, self.moment)
            made.make_steps()
            for table in contract.TABLES:
                if table in supplement.sql_files():
                    self._apply(supplement, table, made)

    def _apply(self, supplement: SourceMapping, table: str, made: SqlTables) -> None:
        name = f"supplement.{table}"
        self.con.execute(f"DROP TABLE IF EXISTS {name}")
        may_add = table in supplement.adds
        problem = made.make_as(name, table)
        if problem is not None:
            # Only a table that nothing else gives lacks something without its supplement.
            if may_add and not self._is_made(table):
                self.problems.append(Problem(table, None, problem))
            return
        if may_add and not self._is_made(table):
            names = ", ".join(f"{identifier(one.name)} VARCHAR" for one in contract.columns(table))
            self.con.execute(f"CREATE TABLE canonical.{table} ({names})")
        if not self._is_made(table):
            return
        columns = self._columns(supplement, table)
        changed = self._change(table, columns)
        added = self._add(table, columns) if may_add else 0
        found = self.con.execute(f"SELECT COUNT(*) FROM {name}").fetchall()[0][0]
        unmatched = found - changed - added
        if unmatched:
            self.notes.append(
                f"{supplement.name}: {unmatched:,} of {found:,} rows for {table} matched no record "
                "of this export and changed nothing"
            )

    def _is_made(self, table: str) -> bool:
        sql = (
            "SELECT COUNT(*) FROM duckdb_tables() AS t"
            " WHERE t.schema_name = 'canonical' AND t.table_name = $name"
        )
        return bool(self.con.execute(sql, {"name": table}).fetchall()[0][0])

    def _columns(self, supplement: SourceMapping, table: str) -> list[str]:
        """The columns that the supplement sets, the key left out."""
        given = [row[0] for row in self.con.execute(f"DESCRIBE supplement.{table}").fetchall()]
        key, known = contract.key_of(table), [column.name for column in contract.columns(table)]
        strange = [name for name in given if name not in known]
        if key not in given or strange:
            raise UserError(
                f"{supplement.name}/{table}.sql: gives the columns {', '.join(given)}; "
                f"it must give {key} and others of {', '.join(known)}"
            )
        return [name for name in given if name != key]

    def _change(self, table: str, columns: list[str]) -> int:
        """Set the columns of the records that both have; how many there are."""
        key = contract.key_of(table)
        values = ", ".join(
            f"CASE WHEN s.{key} IS NULL THEN CAST(c.{name} AS VARCHAR) "
            f"ELSE CAST(s.{name} AS VARCHAR) END AS {name}"
            if name in columns
            else f"CAST(c.{name} AS VARCHAR) AS {name}"
            for name in (column.name for column in contract.columns(table))
        )
        joined = f"canonical.{table} AS c LEFT JOIN supplement.{table} AS s ON c.{key} = s.{key}"
        self.con.execute(f"CREATE TEMP TABLE supplemented AS SELECT {values} FROM {joined}")
        self.con.execute(f"CREATE OR REPLACE TABLE canonical.{table} AS FROM supplemented")
        self.con.execute("DROP TABLE supplemented")
        return int(
            self.con.execute(
                f"SELECT COUNT(*) FROM supplement.{table} AS s "
                f"WHERE s.{key} IN (SELECT c.{key} FROM canonical.{table} AS c)"
            ).fetchall()[0][0]
        )

    def _add(self, table: str, columns: list[str]) -> int:
        """Add the records that the source does not have and whose parents it has."""
        key = contract.key_of(table)
        conditions = [
            f"s.{key} IS NOT NULL",
            f"NOT EXISTS (SELECT 1 FROM canonical.{table} AS c WHERE c.{key} = s.{key})",
            *self._belongs(table, columns),
        ]
        names = ", ".join([key, *columns])
        values = ", ".join(f"CAST(s.{name} AS VARCHAR)" for name in [key, *columns])
        return len(
            self.con.execute(
                f"INSERT INTO canonical.{table} ({names}) "
                f"SELECT {values} FROM supplement.{table} AS s "
                f"WHERE {' AND '.join(conditions)} RETURNING {key}"
            ).fetchall()
        )

    def _belongs(self, table: str, columns: list[str]) -> Iterator[str]:
        for column in contract.columns(table):
            if column.name in columns and column.references and not column.is_nullable:
                other = column.references
                if not self._is_made(other):
                    yield "FALSE"
                    continue
                yield (
                    f"s.{column.name} IN "
                    f"(SELECT o.{contract.key_of(other)} FROM canonical.{other} AS o)"
                )
