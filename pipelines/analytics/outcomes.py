"""Ages of open tasks, ends, returns, deferrals, owners and money, by the values of a split.

Rows have most tasks first. Days are the facility's. Callers compute shares from the counts.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from pipelines.analytics import sql
from pipelines.vocabulary import AGE_BANDS, CLOSE_KINDS, MONEY_TYPES
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

DAY = 86_400  # seconds


def waits(worklist: Worklist, filters: Filters, split_by: str = "all") -> pd.DataFrame:
    """Ages of open tasks: split, tasks, deferred (now), oldest (day), inferred (tasks whose day
    is that of the extract that first showed them), and in days gross_median, gross_p90,
    active_median and active_p90; active excludes deferred time.
    """
    return _ordered(
        worklist.question(sql("waits"), replace(filters, status="open"), split_by=split_by), "tasks"
    )


def ends(worklist: Worklist, filters: Filters, split_by: str = "type") -> pd.DataFrame:
    """Ends of closed tasks: split, closed, each of CLOSE_KINDS, returned, reopened, open_again.

    reopened counts open and closed tasks; open_again counts those of them that are open.

    A task returned when a new one of the same subject opened within RETURN_DAYS of its closing.
    """
    rows = worklist.question(sql("ends"), replace(filters, status="all"), split_by=split_by)
    counts = rows.drop(columns="ended_as").groupby("split", as_index=False).sum()
    kinds = rows.pivot(index="split", columns="ended_as", values="closed")
    kinds = kinds.reindex(columns=list(CLOSE_KINDS)).fillna(0).astype(int)
    return _ordered(counts.merge(kinds.reset_index(), on="split"), "closed")


def deferrals(worklist: Worklist, filters: Filters, split_by: str = "type") -> pd.DataFrame:
    """Deferrals of open and closed tasks, by a split or by the "person" who deferred.

    Columns: split, tasks, deferred and deferred_again (tasks), deferrals (actions), days (deferred
    so far).
    """
    found = _ordered(
        worklist.question(sql("deferrals"), replace(filters, status="all"), split_by=split_by),
        "deferrals",
    )
    return found.assign(days=found.pop("seconds").astype(float) / DAY)


def held(worklist: Worklist, filters: Filters) -> pd.DataFrame:
    """Owners of matching tasks: split (staff id or unassigned), tasks, holding (now), closed,
    and the days a task was held: days (all together), median and p90.

    The other tasks of an owner were passed on.
    """
    found = _ordered(worklist.question(sql("held"), replace(filters, status="all")), "tasks")
    seconds = {"days": "seconds", "median": "median_seconds", "p90": "p90_seconds"}
    return found.assign(
        **{name: found[column].astype(float) / DAY for name, column in seconds.items()}
    ).drop(columns=list(seconds.values()))


def money(worklist: Worklist, filters: Filters) -> pd.DataFrame:
    """Open tasks with dollars waiting: rule_id, title, age_band, tasks, amount (Decimal)."""
    found = ages(worklist, filters)
    return found.loc[
        found["rule_id"].isin(MONEY_TYPES), ["rule_id", "title", "age_band", "tasks", "amount"]
    ].reset_index(drop=True)


def _ordered(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    return rows.sort_values([by, "split"], ascending=[False, True], ignore_index=True)


def ages(worklist: Worklist, filters: Filters) -> pd.DataFrame:
    """Open tasks by rule and age band, of the bands that have tasks.

    Columns: rule_id, title, category, age_band (Categorical), tasks, overdue, amount.
    """
    found = worklist.question(sql("ages"), replace(filters, status="open"))
    return found.assign(age_band=pd.Categorical(found["age_band"], list(AGE_BANDS))).sort_values(
        ["category", "title", "age_band"], ignore_index=True
    )
