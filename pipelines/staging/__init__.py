"""The staged tables: one SELECT for each, parents first.

Most stage one typed extract; those of DERIVED are made from other staged tables.
"""

from __future__ import annotations

from pathlib import Path

from pipelines import sql_files
from pipelines.extracts.contract import TABLES

FOLDER = Path(__file__).parent
# No page shows these, so the snapshot leaves them out; claims alone are a fifth of all rows.
# Smaller ones stay, since guards compare their values with those of the run before.
NOT_SHOWN = frozenset({"claims", "surveys"})
# Tables made from other staged tables, and the extracts from which their rows come.
DERIVED = {
    "accounts": ("appointments", "claims", "payments"),
    "authorization_usage": ("appointments", "authorizations", "facilities", "policies"),
    "faxed_documents": ("documents", "faxes"),
    "unpaid_visits": ("appointments", "claims", "payments"),
    "plans_of_care": ("appointments", "cases", "documents", "payers", "policies"),
}
# Only rules read these, so a table would waste space.
VIEWS = frozenset({"faxed_documents", "plans_of_care", "unpaid_visits"})
# The staged tables that a snapshot keeps, so that the next run can compare with them.
KEPT = (
    *(table for table in TABLES if table not in NOT_SHOWN),
    *(table for table in DERIVED if table not in VIEWS),
)
PARAMETERS = {
    "facilities": ("as_of",),
    "claim_holds": ("authorization_codes",),
    "authorization_usage": ("appointments_since",),
}


def staging_sql() -> dict[str, str]:
    """The SELECT of each staged table, parents first; see `parameters` for what it takes."""
    return {table: sql_files.read(FOLDER / f"{table}.sql") for table in (*TABLES, *DERIVED)}


def parameters(table: str) -> tuple[str, ...]:
    """The parameters of the table's SELECT; DuckDB refuses any that a statement does not have.

    `as_of` is a tz-aware datetime, `authorization_codes` a list of texts; `appointments_since` is
    the first day of the appointments, NULL when all were delivered.
    """
    return PARAMETERS.get(table, ())


def extracts_of(table: str) -> tuple[str, ...]:
    """The extract tables from which the rows of a staged table come."""
    return DERIVED.get(table, (table,))
