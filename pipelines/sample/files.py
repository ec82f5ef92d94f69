"""Write what was known at a moment as extract files in the forms of the contract.

The same facts give the same bytes.
"""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import sql_files
from pipelines.extracts import contract
from pipelines.sample.facts import Facts
from pipelines.sql_files import literal

FIXED = ("facilities", "staff", "payers")  # do not depend on the moment
HORIZON_DAYS = 90  # days of future appointments in an extract
MEMORY_LIMIT = "1GB"  # DuckDB spills to disk beyond; a batch needs far less

# Width of ids with their leading zeros; equal widths make text sort as numbers do.
ID_WIDTHS = {
    "facilities": 3,
    "staff": 6,
    "payers": 4,
    "patients": 7,
    "cases": 8,
    "policies": 8,
    "authorizations": 9,
    "appointments": 11,
}
ID_WIDTHS |= {"payments": 12, "claims": 11, "claim_holds": 12, "documents": 12, "faxes": 13}
ID_WIDTHS |= {"intake_submissions": 8, "engagement_actions": 9, "surveys": 9}


class ExtractWriter:
    """Writes a folder of extracts in batches of patients, by number; `rows` has rows by table."""

    def __init__(
        self, out: Path, as_of: datetime, file_format: str, fixed: dict[str, pa.Table]
    ) -> None:
        self.rows = dict.fromkeys(contract.TABLES, 0)
        self._out, self._as_of, self._format = out, as_of, file_format
        self._parquet: dict[str, pq.ParquetWriter] = {}
        self._db = duckdb.connect(config={"memory_limit": MEMORY_LIMIT})
        self._scratch = TemporaryDirectory(prefix="sample-")
        for name, table in fixed.items():
            self._db.register(name, table)
        for table in FIXED:
            self._append(table)

    def write(self, facts: Facts) -> None:
        """Append what was known of one batch."""
        for table, rows in facts.items():
            self._db.register(f"facts_{table}", rows)
        for table in facts:
            self._append(table)
        for table in facts:
            self._db.unregister(f"facts_{table}")

    def __enter__(self) -> ExtractWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._parquet.values():
            writer.close()
        self._db.close()
        self._scratch.cleanup()

    def write_manifest(self) -> None:
        """Write the manifest, after all tables; it is CSV in either format."""
        horizon = (self._as_of + timedelta(days=HORIZON_DAYS)).date().isoformat()
        lines = ["table,extracted_at,row_count,complete,horizon_on"]
        for table, count in self.rows.items():
            covered_until = horizon if table == "appointments" else ""
            lines.append(f"{table},{self._as_of.isoformat()},{count},true,{covered_until}")
        (self._out / "manifest.csv").write_text(
            "\n".join(lines) + "\n", encoding="utf-8", newline="\n"
        )

    def _append(self, table: str) -> None:
        known = sql_files.read(Path(__file__).parent / "known" / f"{table}.sql")
        columns = [_written(table, column, self._format) for column in contract.columns(table)]
        select = f"SELECT {', '.join(columns)} FROM ({known}) AS known"
        if self._format == "parquet":
            self._append_parquet(table, select)
        else:
            self._append_csv(table, select)

    def _append_csv(self, table: str, select: str) -> None:
        part, target = Path(self._scratch.name) / "part.csv", self._out / f"{table}.csv"
        header = str(not target.exists()).lower()
        copied = self._db.execute(
            f"COPY ({select}) TO {literal(part)} "
            f"(FORMAT csv, HEADER {header}, DELIMITER ',', QUOTE '\"')"
        ).fetchall()
        self.rows[table] += copied[0][0]
        with part.open("rb") as source, target.open("ab") as whole:
            shutil.copyfileobj(source, whole)

    def _append_parquet(self, table: str, select: str) -> None:
        rows = self._db.sql(select).to_arrow_table()
        if table not in self._parquet:
            self._parquet[table] = pq.ParquetWriter(
                self._out / f"{table}.parquet", rows.schema, compression="zstd"
            )
        self._parquet[table].write_table(rows)
        self.rows[table] += rows.num_rows


def _written(table: str, column: contract.Column, file_format: str) -> str:
    """The expression for a column in its contract's form; Parquet keeps types but ids and texts."""
    name = f'known."{column.name}"'
    if column.form == "id":
        owner = column.references or table
        text = f"LPAD(CAST(NULLIF({name}, 0) AS VARCHAR), {ID_WIDTHS[owner]}, '0')"
    elif column.form == "money":
        # From whole cents, so that nothing is rounded.
        text = (
            f"CAST({name} // 100 AS VARCHAR) || '.' || LPAD(CAST({name} % 100 AS VARCHAR), 2, '0')"
        )
        text = f"CAST({text} AS {column.sql_type})" if file_format == "parquet" else text
    elif column.form == "moment" and file_format == "csv":
        text = f"STRFTIME({name}, '%Y-%m-%dT%H:%M:%S')"
    elif column.form == "text":  # also the columns with a set of values
        text = f"CAST({name} AS VARCHAR)"
    else:
        text = f"CAST({name} AS {column.sql_type})"
    return f'{text} AS "{column.name}"'
