"""The staged tables: one SELECT for each, over the typed extract.* tables, parents first."""

from __future__ import annotations

from pathlib import Path

from pipelines import sql_files
from pipelines.extracts.contract import TABLES

FOLDER = Path(__file__).parent
# No page shows these, so the snapshot leaves them out; claims alone are a fifth of all rows.
NOT_SHOWN = frozenset(
    {"claims", "claim_holds", "intake_submissions", "engagement_actions", "surveys"}
)


def staging_sql() -> dict[str, str]:
    """The SELECT of each staged table, parents first; see `parameters` for what it takes."""
    return {table: sql_files.read(FOLDER / f"{table}.sql") for table in TABLES}


def parameters(table: str) -> tuple[str, ...]:
    """The parameters of the table's SELECT; only `facilities` has one: as_of, a tz-aware datetime.

    DuckDB refuses parameters a statement does not have.
    """
    return ("as_of",) if table == "facilities" else ()
