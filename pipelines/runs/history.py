"""What the Patient page and the Runs page ask of a published snapshot: one patient's record, and what each run read, asked and refused.

Every function takes a connection on which `staging` and the run tables of a snapshot resolve, as after `USE snapshot`. Times of
staged rows are wall times of their facility, without a zone; times of runs and extracts are UTC. "Today" is the day the snapshot speaks for.
A patient or run that does not exist gives None or an empty frame with all its columns.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import pandas as pd

from pipelines.runs import sql
from pipelines.warehouse import snapshots


@dataclass(frozen=True)
class Freshness:
    """How old the list is, in UTC; not_accepted has table_name, status, reason and kept_from, the as_of of the run whose rows are shown instead."""

    run_no: int
    run_id: str
    as_of: dt.datetime
    oldest_extracted_at: dt.datetime | None
    tables_undated: int
    not_accepted: pd.DataFrame


def runs(con: duckdb.DuckDBPyConnection, limit: int = 50) -> pd.DataFrame:
    """run_no, run_id, as_of, rows_read, rows_staged, rows_refused, tables_not_accepted, opened, closed, withheld (rules), newest first."""
    return snapshots.frame(con, sql("runs"), limit=limit)


def extracts_folder(con: duckdb.DuckDBPyConnection) -> str | None:
    """Where the newest run found its extracts; None in a snapshot from before this was recorded."""
    found = con.execute("SELECT r.* FROM runs AS r ORDER BY r.run_no DESC LIMIT 1")
    names = [column[0] for column in found.description]
    return next(
        (dict(zip(names, row, strict=True)).get("extracts") for row in found.fetchall()), None
    )


def run_tables(con: duckdb.DuckDBPyConnection, run_no: int) -> pd.DataFrame:
    """table_name, status, reason, files and warnings (lines), rows_read, rows_staged, rows_refused, extracted_at, horizon_on."""
    return snapshots.frame(con, sql("run_tables"), run_no=run_no)


def run_rules(con: duckdb.DuckDBPyConnection, run_no: int) -> pd.DataFrame:
    """rule_id, title, category, is_withheld, reason, candidates, opened, cleared, converted, discharged, source_gone, held; withheld ones first."""
    return snapshots.frame(con, sql("run_rules"), run_no=run_no)


def rule_runs(con: duckdb.DuckDBPyConnection, rule_id: str, limit: int = 50) -> pd.DataFrame:
    """What one rule did in each run, newest first: run_no, run_id, as_of, is_withheld, reason, and the counts of run_rules."""
    return snapshots.frame(con, sql("rule_runs"), rule_id=rule_id, limit=limit)


def withheld(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """rule_id, title, category, reason of the rules withheld in the newest run."""
    return snapshots.frame(con, sql("withheld"))


def freshness(con: duckdb.DuckDBPyConnection) -> Freshness | None:
    """The newest run and what it could not accept; None before the first."""
    row = snapshots.row(con, sql("freshness"))
    return (
        None
        if row is None
        else Freshness(**row, not_accepted=snapshots.frame(con, sql("not_accepted")))
    )


def refusals(con: duckdb.DuckDBPyConnection, run_no: int) -> pd.DataFrame:
    """table_name, column_name, check_name, refused_rows, without values; a snapshot knows only those of its own run, the newest."""
    return snapshots.frame(con, sql("refusals"), run_no=run_no)
