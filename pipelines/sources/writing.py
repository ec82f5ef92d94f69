"""Write the extracts of an import as CSV files with their manifest, which vouches for no rows."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.sql_files import identifier, literal

MANIFEST_COLUMNS = (
    "table",
    "extracted_at",
    "row_count",
    "complete",
    "horizon_on",
    "since_on",
    "note",
    "connected",
)
UNDER_WAY = "an import of it was begun and has not ended"


@dataclass(frozen=True)
class Reach:
    """How far a table's rows reach; None where nothing says so."""

    since: dt.date | None = None
    until: dt.date | None = None


def make_manifest(
    con: duckdb.DuckDBPyConnection,
    at: dt.datetime,
    reaches: Mapping[str, Reach],
    held: Mapping[str, str],
    absent: Sequence[str],
) -> None:
    """Make canonical.manifest: what is known of each table at `at` (aware), and why it is held."""
    names = ", ".join(f"{identifier(name)} VARCHAR" for name in MANIFEST_COLUMNS)
    con.execute(f"CREATE TABLE canonical.manifest ({names})")
    extracted_at = at.astimezone(dt.UTC).isoformat(timespec="seconds")
    for table, reach in reaches.items():
        complete = "false" if table in held else None
        con.execute(
            "INSERT INTO canonical.manifest VALUES (?, ?, NULL, ?, ?, ?, ?, NULL)",
            [table, extracted_at, complete, reach.until, reach.since, held.get(table)],
        )
    for table in sorted(set(absent) - set(reaches)):
        con.execute(
            "INSERT INTO canonical.manifest VALUES "
            "(?, ?, NULL, NULL, NULL, NULL, 'this practice never delivers it', 'false')",
            [table, extracted_at],
        )


@dataclass(frozen=True)
class Places:
    """The folder of a delivery, and the folder for its extracts."""

    from_dir: Path
    out: Path


def write_files(
    con: duckdb.DuckDBPyConnection, tables: Sequence[str], gone: Sequence[str], places: Places
) -> None:
    """Write each table as CSV, sorted by key, the manifest last; `out` gets whole files only.

    `gone` are tables of the source that this delivery lacks; those of an import before go.
    UserError when they cannot be written, or when `out` is no place for them.
    """
    from_dir, out = places.from_dir, places.out
    if out.resolve() == from_dir.resolve():
        raise UserError(f"{out}: is the folder of the export; choose another for the extracts")
    # Left by another source or a sample, such a file would be read as part of this extract.
    for other in sorted(set(contract.TABLES) - {*tables, *gone}):
        if (out / f"{other}.csv").exists():
            raise UserError(
                f"{out}: holds {other}.csv, which this source does not give; choose an empty folder"
            )
    unfinished: Path | None = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".importing-", dir=out))
        for table in (*tables, "manifest"):
            key = identifier(contract.key_of(table))
            con.execute(
                f"COPY (SELECT * FROM canonical.{table} AS t ORDER BY t.{key} NULLS LAST) "
                f"TO {literal(unfinished / f'{table}.csv')} "
                "(FORMAT csv, HEADER, DATEFORMAT '%Y-%m-%d', TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S')"
            )
        _begin(con, unfinished, out)
        for table in gone:
            (out / f"{table}.csv").unlink(missing_ok=True)
        for table in (*tables, "manifest"):
            os.replace(unfinished / f"{table}.csv", out / f"{table}.csv")
    except (OSError, duckdb.IOException) as error:
        why = getattr(error, "strerror", None) or "no space or no permission"
        raise UserError(f"{out}: cannot write the extracts here ({why})") from None
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)


def _begin(con: duckdb.DuckDBPyConnection, unfinished: Path, out: Path) -> None:
    """A manifest that believes no table, for an import that is killed between two files."""
    con.execute(
        f"COPY (SELECT * REPLACE ('false' AS complete, {literal(UNDER_WAY)} AS note) "
        f"FROM canonical.manifest AS m WHERE m.connected IS NULL) "
        f"TO {literal(unfinished / 'begun.csv')} (FORMAT csv, HEADER)"
    )
    os.replace(unfinished / "begun.csv", out / "manifest.csv")
