"""The history of runs in a snapshot: what each run read, asked, withheld and refused.

Every function takes a connection on which the run tables of a snapshot resolve, as after
`USE snapshot`. Times are UTC. A run that does not exist gives an empty frame with all its columns.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import duckdb
import pandas as pd

from pipelines.lifecycle.context import HISTORY_DAYS
from pipelines.runs import sql
from pipelines.runs.guards.model import ALARM_RUNS
from pipelines.warehouse import snapshots


@dataclass(frozen=True)
class Freshness:
    """How old the list is, in UTC.

    not_accepted has table_name, status, reason and kept_from: the as_of of the run whose rows are
    shown instead.
    """

    run_no: int
    run_id: str
    as_of: dt.datetime
    oldest_extracted_at: dt.datetime | None
    tables_undated: int
    not_accepted: pd.DataFrame


def runs(con: duckdb.DuckDBPyConnection, limit: int = 50) -> pd.DataFrame:
    """run_no, run_id, as_of, counts of rows, tables and tasks, withheld (rules), newest first."""
    return snapshots.frame(con, sql("runs"), limit=limit)


def extracts_folder(con: duckdb.DuckDBPyConnection) -> str | None:
    """Where the newest run found its extracts; None in a snapshot of format 1, which lacks it."""
    # SELECT r.*, because snapshots of format 1 have no column `extracts`.
    newest = snapshots.row(con, "SELECT r.* FROM runs AS r ORDER BY r.run_no DESC LIMIT 1") or {}
    folder = newest.get("extracts")
    return None if folder is None else str(folder)


def run_tables(con: duckdb.DuckDBPyConnection, run_no: int) -> pd.DataFrame:
    """One row a table; files and warnings are lines of text, extracted_at is UTC."""
    return snapshots.frame(con, sql("run_tables"), run_no=run_no)


def run_rules(con: duckdb.DuckDBPyConnection, run_no: int) -> pd.DataFrame:
    """One row a rule: title, category, is_withheld, is_connected, reason and counts.

    Withheld ones come first; one that is not connected is not withheld.
    """
    return snapshots.frame(con, sql("run_rules"), run_no=run_no)


def rule_runs(con: duckdb.DuckDBPyConnection, rule_id: str, limit: int = 50) -> pd.DataFrame:
    """What one rule did in each run, with the columns and counts of run_rules, newest first."""
    return snapshots.frame(con, sql("rule_runs"), rule_id=rule_id, limit=limit)


def withheld(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """rule_id, title, category, reason of the rules withheld in the newest run."""
    return snapshots.frame(con, sql("withheld"))


def not_connected(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """rule_id, title, category, reason of the rules that need a table the practice never has."""
    return snapshots.frame(con, sql("not_connected"))


def in_part(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """rule_id, title, category, reason of rules that could not answer for all their records."""
    return snapshots.frame(con, sql("in_part"))


@dataclass(frozen=True)
class Start:
    """The go-live of the newest run, or the one it proposed because of so many old tasks."""

    go_live: dt.date | None = None
    history_days: int = HISTORY_DAYS
    proposed: dt.date | None = None
    old_tasks: int = 0


def start(con: duckdb.DuckDBPyConnection) -> Start:
    """By which go-live the newest run went."""
    found = snapshots.one(con, sql("start"))
    if found is None:
        return Start()
    go_live, history_days, proposed, old_tasks = found
    return Start(go_live, history_days or HISTORY_DAYS, proposed, old_tasks or 0)


@dataclass(frozen=True)
class SetAsideGroup:
    """The tasks of a rule at a facility (None: at no facility) that the newest run set aside."""

    rule_id: str
    title: str
    facility_id: str | None
    facility: str | None
    tasks: int
    oldest_on: dt.date


def set_aside(con: duckdb.DuckDBPyConnection) -> list[SetAsideGroup]:
    """What the newest run set aside at the go-live, by task type and facility."""
    return [SetAsideGroup(*row) for row in con.execute(sql("set_aside")).fetchall()]


def listed(
    con: duckdb.DuckDBPyConnection, task_ids: Collection[str], tasks: str = "tasks"
) -> frozenset[str]:
    """Those of these tasks that the list has in its table `tasks`, open or closed."""
    if not task_ids:
        return frozenset()
    rows = con.execute(
        f"SELECT t.task_id FROM {tasks} AS t WHERE t.task_id IN (SELECT UNNEST($ids))",
        {"ids": sorted(task_ids)},
    ).fetchall()
    return frozenset(task_id for (task_id,) in rows)


@dataclass(frozen=True)
class HeldGuard:
    """A guard of the newest run that holds a table, or tasks of a rule at a facility.

    `runs` counts the runs in a row that held it, from that of `held_from` on.
    """

    run_no: int
    guard: str
    kind: str
    table_name: str | None
    rule_id: str | None
    title: str | None
    facility_id: str | None
    facility: str | None
    concerned: int
    says: str
    runs: int
    held_from: dt.datetime

    @property
    def is_alarm(self) -> bool:
        """Whether it has held for so long that nobody can have looked."""
        return self.runs >= ALARM_RUNS

    @property
    def name(self) -> str:
        """What it holds, in words."""
        if self.table_name is not None:
            return f"the table {self.table_name}"
        if self.rule_id is None and self.facility_id is None:
            return "all tables"
        return f"{self.title or 'All task types'} · {self.facility or 'no facility'}"


def held_guards(con: duckdb.DuckDBPyConnection) -> list[HeldGuard]:
    """What the guards of the newest run hold and nobody has accepted yet."""
    return [HeldGuard(*row) for row in con.execute(sql("held_guards")).fetchall()]


def held_by_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """By rule, the tasks that the newest run held because of rows that could not be read."""
    return dict(con.execute(sql("held_by_rows")).fetchall())


def guards_of_run(con: duckdb.DuckDBPyConnection, run_no: int) -> pd.DataFrame:
    """guard, says, runs, accepted_by, accepted_by_name, accepted_reason of one run."""
    return snapshots.frame(con, sql("guards_of_run"), run_no=run_no)


def freshness(con: duckdb.DuckDBPyConnection) -> Freshness | None:
    """The newest run and what it could not accept; None before the first."""
    found = snapshots.one(con, sql("freshness"))
    if found is None:
        return None
    run_no, run_id, as_of, oldest_extracted_at, tables_undated = found
    not_accepted = snapshots.frame(con, sql("not_accepted"))
    return Freshness(run_no, run_id, as_of, oldest_extracted_at, tables_undated, not_accepted)


def refusals(con: duckdb.DuckDBPyConnection, run_no: int) -> pd.DataFrame:
    """table_name, column_name, check_name, refused_rows; a snapshot has those of its own run."""
    return snapshots.frame(con, sql("refusals"), run_no=run_no)
