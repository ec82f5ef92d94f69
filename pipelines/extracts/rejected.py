"""Find the files of an extract folder, judge each file as a whole, and read the good ones into DuckDB."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd

from pipelines.errors import UserError
from pipelines.extracts import contract


def refused_kinds(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, int, int]]:
    """(file, column, check, rows, first line) of what `read` refused row by row, without values."""
    return con.execute(
        """SELECT r.file, r.column_name, r.check_name, COUNT(*), MIN(r.line)
        FROM extract.refused_rows AS r GROUP BY ALL ORDER BY ALL"""
    ).fetchall()


def keep_refused(
    con: duckdb.DuckDBPyConnection, table: str, refused: pd.DataFrame, rejected_dir: Path
) -> None:
    """Write the refused rows with their values to the rejected folder, and to DuckDB where they stand and which records they are about."""
    if refused.empty:
        return
    names = [column.name for column in contract.columns(table)]
    path = rejected_dir / f"{table}.csv"
    try:
        rejected_dir.mkdir(parents=True, exist_ok=True)
        refused[["file", "line", "column", "check", *names]].to_csv(
            path, index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL
        )
    except OSError as error:
        raise UserError(f"{path}: refused rows cannot be written ({error.strerror})") from None
    stands = refused[["file", "line", "column", "check"]].astype({"line": "int64"})
    con.register("refused_frame", stands)
    con.execute(
        f'INSERT INTO extract.refused_rows SELECT \'{table}\', file, line, "column", "check" FROM refused_frame'
    )
    con.unregister("refused_frame")
    about = refused[refused["is_duplicate"] == False]  # noqa: E712  (an object column)
    ids = pd.DataFrame(
        _ids(table, about), columns=["id_table", "id_value"], dtype="str"
    ).drop_duplicates()
    con.register("refused_frame", ids)
    con.execute(
        f"INSERT INTO extract.refused_ids SELECT '{table}', id_table, id_value FROM refused_frame"
    )
    con.unregister("refused_frame")
    # Whose record it is nobody can say when the key or a parent it must have cannot be read.
    needed = {
        column.name
        for column in contract.columns(table)
        if column.is_key or (column.references and not column.is_nullable)
    }
    n = sum(bad is None or bool(needed & set(bad)) for bad in about["bad_ids"])
    if n:
        con.execute("INSERT INTO extract.refused_unattributable VALUES (?, ?)", [table, n])


def _ids(table: str, about: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """(table, id) for every id that can be read in rows that are whole."""
    for column in contract.columns(table):
        if column.is_key or column.references:
            for value, bad in zip(about[column.name], about["bad_ids"], strict=True):
                if bad is not None and column.name not in bad and not pd.isna(value):
                    yield table if column.is_key else column.references, value
