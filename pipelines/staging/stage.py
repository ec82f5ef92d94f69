"""Create the staged tables, each as soon as its extract is read.

`load_fast` types, validates and stages a valid file in one pass, in little more than half the time
of separate steps. It stops at the first doubtful row; `load_by_line` then stages the valid rows of
a table that was read by line.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from pipelines import staging
from pipelines.extracts import contract, contract_sql, files
from pipelines.extracts.records import Layout
from pipelines.settings import AUTHORIZATION_CODES
from pipelines.vocabulary import ADMINISTRATOR_ID, ADMINISTRATOR_ROLE
from pipelines.warehouse import snapshots


@dataclass(frozen=True)
class Stager:
    """Writes staging.* of one run, parents first.

    `as_of` is tz-aware; `kept` are the tables whose staged rows the previous snapshot has;
    `authorization_codes` classify the holds of claims.
    """

    con: duckdb.DuckDBPyConnection
    as_of: dt.datetime
    kept: frozenset[str]
    authorization_codes: tuple[str, ...] = AUTHORIZATION_CODES

    def load_fast(self, table: str, path: Path, accepted: Set[str]) -> tuple[int, Layout] | None:
        """Stage a table from its only file: rows and layout, or None with nothing left behind."""

        def stage(rows: str | None) -> None:
            if rows is None:
                self._create_empty(table)
                return
            self.con.execute(contract_sql.view_sql(table, rows))
            self._create_extract(table)

        self.con.execute(f"DROP TABLE IF EXISTS extract.{table}")
        layout = files.stage_valid(self.con, table, path, accepted, stage)
        self.con.execute(f"DROP VIEW IF EXISTS extract.{table}")
        if layout is None:
            return None
        rows = 0 if layout.is_empty else self._row_count_if_valid(table, accepted)
        if rows is None:
            self.drop(table)
            return None
        self._create_views(table)
        return rows, layout

    def load_by_line(self, table: str, *, is_accepted: bool) -> None:
        """Stage the rows of extract.<table>.

        A table that is not accepted keeps the rows staged last, so that names stay readable.
        """
        if not is_accepted and table in self.kept and table not in staging.NOT_SHOWN:
            self._keep(table)
        else:
            self._create_extract(table)
        # No other SELECT reads the extract, and that of a million patients takes 8 GB.
        self.con.execute(f"DROP TABLE extract.{table}")
        self._create_views(table)

    def load_derived(
        self, lost: Set[str] = frozenset(), appointments_since: dt.date | None = None
    ) -> None:
        """Stage the tables made from other staged tables, after all of those.

        `appointments_since` is the first day of the appointments; None for all of them.

        `lost` are the tables that an earlier run accepted and this one did not. Where their rows
        are not kept, a table made from them keeps the rows staged last, too.
        """
        for table in staging.DERIVED:
            sql = staging.staging_sql()[table]
            if table in staging.VIEWS:
                self.con.execute(f"CREATE VIEW staging.{table} AS {sql}")
                continue
            if table in self.kept and lost & staging.NOT_SHOWN & {*staging.extracts_of(table)}:
                self._keep(table)
            else:
                given = {"appointments_since": appointments_since}
                taken = {name: given[name] for name in staging.parameters(table)}
                self._create(table, _column_definitions()[table], sql, taken)
            self.con.execute(f"CREATE VIEW staging.{table} AS FROM {_place(table)}")

    def _keep(self, table: str) -> None:
        """Stage the rows of the previous snapshot."""
        sql = f"FROM previous.staging.{table}"
        described = self.con.execute(f"DESCRIBE {sql}").fetchall()
        self._create(table, _definition(table, described), sql)

    def refuse(self, table: str) -> None:
        """Stage the rows of the run before in the place of those of this run."""
        self.drop(table)
        if table in self.kept and table not in staging.NOT_SHOWN:
            self._keep(table)
        else:
            self._create_empty(table)
        self._create_views(table)

    def admit(self, administrator: str | None, email: str | None) -> None:
        """Stage this one member of staff, or nobody, for a practice without a staff table."""
        self.con.execute(f"DELETE FROM {_place('staff')}")
        if administrator is not None:
            self.con.execute(
                f"INSERT INTO {_place('staff')} BY NAME SELECT $id AS staff_id, $name AS name, "
                "$email AS email, $role AS role, FALSE AS is_assistant, TRUE AS is_active",
                {
                    "id": ADMINISTRATOR_ID,
                    "name": administrator,
                    "email": email,
                    "role": ADMINISTRATOR_ROLE,
                },
            )

    def drop(self, table: str) -> None:
        """Remove what `load_fast` staged."""
        self.con.execute(f"DROP VIEW IF EXISTS extract.{table}")
        if table not in staging.NOT_SHOWN:
            self.con.execute(f"DROP VIEW IF EXISTS staging.{table}")
        self.con.execute(f"DROP TABLE {_place(table)}")

    def _create_empty(self, table: str) -> None:
        self.con.execute(f"CREATE TABLE {_place(table)} ({_column_definitions()[table]})")

    def _create_extract(self, table: str) -> None:
        """Stage the rows of extract.<table>."""
        given = _parameters(table, self.as_of, self.authorization_codes)
        self._create(table, _column_definitions()[table], staging.staging_sql()[table], given)

    def _create(
        self, table: str, definition: str, sql: str, parameters: Mapping[str, object] | None = None
    ) -> None:
        # Staged tables have no order, and without one they are written a fifth faster.
        self.con.execute("SET preserve_insertion_order = false")
        self.con.execute("BEGIN")
        try:
            self.con.execute(f"CREATE TABLE {_place(table)} ({definition})")
            self.con.execute(f"INSERT INTO {_place(table)} {sql}", parameters or None)
            self.con.execute("COMMIT")
        except duckdb.Error:
            with suppress(duckdb.Error):  # after a fatal error; the first one says why
                self.con.execute("ROLLBACK")
            raise
        finally:
            with suppress(duckdb.Error):
                self.con.execute("SET preserve_insertion_order = true")

    def _create_views(self, table: str) -> None:
        """Name the staged table staging.<table>, and its key extract.<table> for references."""
        if table not in staging.NOT_SHOWN:
            self.con.execute(f"CREATE VIEW staging.{table} AS FROM snapshot.staging.{table}")
        key = contract.key_of(table)
        self.con.execute(f"CREATE VIEW extract.{table} AS SELECT {key} FROM {_place(table)}")

    def _row_count_if_valid(self, table: str, accepted: Set[str]) -> int | None:
        """The number of staged rows; None for a repeated key or a reference to nothing or to NULL.

        Keys are counted by hash: a collision only makes a valid table be read by line.
        """
        place, key = _place(table), contract.key_of(table)
        rows, keys = self.con.execute(
            f"SELECT COUNT(*), COUNT(DISTINCT HASH({key})) FROM {place}"
        ).fetchall()[0]
        if rows != keys:
            return None
        for column in contract.columns(table):
            if column.references is None:
                continue
            if column.references not in accepted:
                nulls = f"SELECT COUNT(*) FROM {place} WHERE {contract_sql.is_null_word(column)}"
                if column.is_nullable and self.con.execute(nulls).fetchall()[0][0]:
                    return None
                continue
            orphans = self.con.execute(
                f"SELECT COUNT(*) FROM {place} AS t ANTI JOIN {_place(column.references)} AS p "
                f"ON t.{column.name} = p.{contract.key_of(column.references)} "
                f"WHERE t.{column.name} IS NOT NULL"
            ).fetchall()[0][0]
            if orphans:
                return None
        return rows


def _place(table: str) -> str:
    """Tables that pages show are in the snapshot, the others in memory only."""
    return f"staging.{table}" if table in staging.NOT_SHOWN else f"snapshot.staging.{table}"


def _parameters(
    table: str, as_of: dt.datetime, authorization_codes: tuple[str, ...]
) -> dict[str, dt.datetime | list[str]] | None:
    """The parameters of the table's SELECT with their values; None when it takes none."""
    values: dict[str, dt.datetime | list[str]] = {
        "as_of": as_of,
        "authorization_codes": list(authorization_codes),
    }
    return {name: values[name] for name in staging.parameters(table)} or None


ANY_MOMENT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # the types do not depend on it


@cache
def _column_definitions() -> dict[str, str]:
    """The column definitions of each staged table; planning them takes as long as a small file."""
    definitions: dict[str, str] = {}
    with snapshots.connect() as con:
        con.execute("CREATE SCHEMA extract")
        con.execute("CREATE SCHEMA staging")
        for table, sql in staging.staging_sql().items():
            if table not in staging.DERIVED:
                con.execute(contract_sql.table_sql(table))
            parameters = (
                dict.fromkeys(staging.parameters(table))
                if table in staging.DERIVED
                else _parameters(table, ANY_MOMENT, AUTHORIZATION_CODES)
            )
            described = con.execute(f"DESCRIBE ({sql}\n)", parameters or None).fetchall()
            definitions[table] = _definition(table, described)
            con.execute(f"CREATE TABLE staging.{table} ({definitions[table]})")
    return definitions


def _definition(table: str, described: list[tuple]) -> str:
    return ", ".join(
        f"{name} {sql_type}{_compression(table, name)}" for name, sql_type, *_ in described
    )


def _compression(table: str, column: str) -> str:
    """Ids that hardly repeat compress twice as fast with zstd as with DuckDB's first choice."""
    if table in staging.DERIVED:
        return ""
    is_unique = column in (contract.key_of(table), contract.key_of("appointments"))
    return " USING COMPRESSION zstd" if is_unique and table not in staging.NOT_SHOWN else ""
