"""Record refused rows: with their values in the rejected folder, without them in DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd

from pipelines import csv_files
from pipelines.errors import UserError
from pipelines.extracts import contract, formats


class RefusedKind(NamedTuple):
    """Rows of one file that fail the same check in the same column."""

    file: str
    column: str
    check: str
    rows: int
    first_line: int


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the empty tables that `keep_refused` fills: rows, ids, and rows nobody can name."""
    con.execute(
        "CREATE OR REPLACE TABLE extract.refused_rows (table_name VARCHAR, file VARCHAR, "
        "line BIGINT, column_name VARCHAR, check_name VARCHAR)"
    )
    con.execute(
        "CREATE OR REPLACE TABLE extract.refused_ids "
        "(table_name VARCHAR, id_table VARCHAR, id_value VARCHAR)"
    )
    con.execute(
        "CREATE OR REPLACE TABLE extract.refused_unattributable (table_name VARCHAR, n BIGINT)"
    )


def refused_kinds(con: duckdb.DuckDBPyConnection) -> list[RefusedKind]:
    """What was refused by line, without values, sorted."""
    rows = con.execute(
        """SELECT r.file, r.column_name, r.check_name, COUNT(*), MIN(r.line)
        FROM extract.refused_rows AS r GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    return [RefusedKind(*row) for row in rows]


def keep_refused(
    con: duckdb.DuckDBPyConnection, table: str, refused: pd.DataFrame, rejected_dir: Path
) -> None:
    """Write refused rows with their values to the rejected folder, their ids and lines to DuckDB.

    `refused` has the columns file, line, column, check, is_duplicate, bad_ids and the contract's.
    """
    if refused.empty:
        return
    _write_csv(table, refused, rejected_dir)
    lines = refused[["file", "line", "column", "check"]].astype({"line": "int64"})
    con.register("refused_frame", lines)
    con.execute(
        f"INSERT INTO extract.refused_rows "
        f'SELECT \'{table}\', file, line, "column", "check" FROM refused_frame'
    )
    con.unregister("refused_frame")
    # Of a duplicate, another row stays: the record itself is not missing.
    missing = refused[~refused["is_duplicate"].astype(bool)]
    ids = pd.DataFrame(_ids(table, missing), columns=["id_table", "id_value"], dtype="str")
    con.register("refused_frame", ids.drop_duplicates())
    con.execute(
        f"INSERT INTO extract.refused_ids SELECT '{table}', id_table, id_value FROM refused_frame"
    )
    con.unregister("refused_frame")
    # Without its key or a required parent, nobody can say whose record it is.
    needed = {
        column.name
        for column in contract.columns(table)
        if column.is_key or (column.references and not column.is_nullable)
    }
    n = sum(bad is None or bool(needed & set(bad)) for bad in missing["bad_ids"])
    if n:
        con.execute("INSERT INTO extract.refused_unattributable VALUES (?, ?)", [table, n])


def _write_csv(table: str, refused: pd.DataFrame, rejected_dir: Path) -> None:
    """Values as they were written; only those that are no text to their column stay bare."""
    columns = contract.columns(table)
    rows = refused[["file", "line", "column", "check", *(column.name for column in columns)]]
    plain = {
        column.name: formats.FORMS[column.form].pattern
        for column in columns
        if column.sql_type != "VARCHAR"
    }
    path = rejected_dir / f"{table}.csv"
    try:
        rejected_dir.mkdir(parents=True, exist_ok=True)
        path.write_bytes(csv_files.csv_bytes(rows, plain))
    except OSError as error:
        raise UserError(f"{path}: refused rows cannot be written ({error.strerror})") from None


def _ids(table: str, refused: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """(table, id) for every readable id of the rows that are no broken records."""
    for column in contract.columns(table):
        id_table = table if column.is_key else column.references
        if id_table is None:
            continue
        for value, bad in zip(refused[column.name], refused["bad_ids"], strict=True):
            if bad is not None and column.name not in bad and not pd.isna(value):
                yield id_table, value
