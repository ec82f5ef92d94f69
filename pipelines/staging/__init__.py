"""The staged tables: one SELECT each over the typed extract.* tables, in the order they build on each other."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pipelines.extracts.contract import TABLES

FOLDER = Path(__file__).parent
# What no page shows need not be written to the snapshot: claims alone are a fifth of a practice's rows.
NOT_SHOWN = frozenset(
    {"claims", "claim_holds", "intake_submissions", "engagement_actions", "surveys"}
)


@cache
def staging_sql() -> dict[str, str]:
    """The SELECT of each staged table, in building order; only `facilities` takes a parameter, $as_of (a moment with zone)."""
    return {table: (FOLDER / f"{table}.sql").read_text(encoding="utf-8") for table in TABLES}


def parameters(table: str) -> tuple[str, ...]:
    """The names of the parameters that the table's SELECT takes; DuckDB refuses surplus ones."""
    return ("as_of",) if table == "facilities" else ()
