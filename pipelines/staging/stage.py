"""Make the staged tables, each as soon as its extract is read: a sound one straight from its file, in one pass.

To type, judge and stage a table at once takes a little more than half of what one after the other takes, but cannot say which line
is wrong: the first doubt ends it, and the table is read again the long way, which can.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines import staging
from pipelines.extracts import contract, contract_sql, files
from pipelines.warehouse import snapshots

_columns: dict[
    str, str
] = {}  # of each table's SELECT, the same in every run of a process: to plan it takes as long as a small file


@dataclass(frozen=True)
class Stager:
    """Writes staging.* of one run, in the order of the contract; `kept` are the tables the previous snapshot has staged."""

    con: duckdb.DuckDBPyConnection
    as_of: dt.datetime
    kept: frozenset[str]

    def load_fast(
        self, table: str, path: Path, readable: set[str]
    ) -> tuple[int, files.Layout] | None:
        """Stage a table from its only file; the number of its rows, all of them sound, or None, and then nothing is left behind."""

        def stage(rows: str) -> None:
            self.con.execute(contract_sql.view_sql(table, rows))
            self._create(table, staging.staging_sql()[table])

        self.con.execute(f"DROP TABLE IF EXISTS extract.{table}")
        layout = files.stage_sound(self.con, table, path, readable, stage)
        self.con.execute(f"DROP VIEW IF EXISTS extract.{table}")
        if layout is None:
            return None
        rows = self._proven(table, readable)
        if rows is None:
            self.drop(table)
            return None
        self._show(table)
        return rows, layout

    def load_by_line(self, table: str, *, is_accepted: bool) -> None:
        """Stage what was read into extract.<table>; a table not accepted keeps its last staged rows, so names stay readable."""
        is_kept = not is_accepted and table in self.kept and table not in staging.NOT_SHOWN
        self._create(
            table,
            f"FROM previous.staging.{table}" if is_kept else staging.staging_sql()[table],
            is_kept=is_kept,
        )
        self.con.execute(
            f"DROP TABLE extract.{table}"
        )  # no other SELECT reads it, and a million patients' are 8 GB
        self._show(table)

    def drop(self, table: str) -> None:
        """Take back what `load_fast` staged."""
        self.con.execute(f"DROP VIEW IF EXISTS extract.{table}")
        if table not in staging.NOT_SHOWN:
            self.con.execute(f"DROP VIEW IF EXISTS staging.{table}")
        self.con.execute(f"DROP TABLE {_place(table)}")

    def _create(self, table: str, sql: str, *, is_kept: bool = False) -> None:
        given = {"as_of": self.as_of} if staging.parameters(table) and not is_kept else None
        columns = None if is_kept else _columns.get(table)
        if columns is None:
            described = self.con.execute(f"DESCRIBE ({sql}\n)", given).fetchall()
            columns = ", ".join(
                f"{name} {sql_type}{_compression(table, name)}" for name, sql_type, *_ in described
            )
            if not is_kept:
                _columns[table] = columns
        self.con.execute(
            "SET preserve_insertion_order = false"
        )  # a fifth faster to disk, and no staged table has an order
        self.con.execute("BEGIN")
        try:
            self.con.execute(f"CREATE TABLE {_place(table)} ({columns})")
            self.con.execute(f"INSERT INTO {_place(table)} {sql}", given)
            self.con.execute("COMMIT")
        except duckdb.Error:
            with suppress(
                duckdb.Error
            ):  # after a fatal error nothing more is done, and the first error says why
                self.con.execute("ROLLBACK")
            raise
        finally:
            with suppress(duckdb.Error):
                self.con.execute("SET preserve_insertion_order = true")

    def _show(self, table: str) -> None:
        """Name the staged table where the SQL looks for it, and give those who refer to it its key under the name of the extract."""
        if table not in staging.NOT_SHOWN:
            self.con.execute(f"CREATE VIEW staging.{table} AS FROM snapshot.staging.{table}")
        self.con.execute(
            f"CREATE VIEW extract.{table} AS SELECT {contract.key_of(table)} FROM {_place(table)}"
        )

    def _proven(self, table: str, readable: set[str]) -> int | None:
        """The number of staged rows, if no key is there twice and every reference is found; different hashes are of different keys."""
        place, key = _place(table), contract.key_of(table)
        rows, keys = snapshots.one(
            self.con, f"SELECT COUNT(*), COUNT(DISTINCT HASH({key})) FROM {place}"
        )
        if rows != keys:
            return None
        for column in contract.columns(table):
            if column.references in readable:
                (orphans,) = snapshots.one(
                    self.con,
                    f"SELECT COUNT(*) FROM {place} AS t ANTI JOIN {_place(column.references)} AS p"
                    f" ON t.{column.name} = p.{contract.key_of(column.references)} WHERE t.{column.name} IS NOT NULL",
                )
                if orphans:
                    return None
        return rows


def _place(table: str) -> str:
    """What pages show lies in the snapshot, the rest only in memory."""
    return f"staging.{table}" if table in staging.NOT_SHOWN else f"snapshot.staging.{table}"


def _compression(table: str, column: str) -> str:
    """Ids that hardly repeat pack twice as fast with zstd, and no larger, as with the dictionary DuckDB would try first."""
    is_unique = column in (contract.key_of(table), contract.key_of("appointments"))
    return " USING COMPRESSION zstd" if is_unique and table not in staging.NOT_SHOWN else ""
