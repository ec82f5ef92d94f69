"""What becomes of tasks: how old the open ones are, how they end, come back, are put off, and who holds them.

Answers by the values of one of measures.SPLITS, most tasks first. Days are the facility's; shares are left to the reader, who has both numbers.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from pipelines.analytics import outcomes, sql
from pipelines.vocabulary import AGE_BANDS
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

MONEY = (
    "uncollected_payments",
    "refund_request",
)  # the types whose dollars are still to be moved, as queries/summary.sql has them
DAY = 86_400  # seconds


def waits(worklist: Worklist, filters: Filters, split_by: str = "all") -> pd.DataFrame:
    """The open tasks: split, tasks, deferred (of them, now), gross_ and active_ median and p90 in days, oldest `since`."""
    return _ordered(
        worklist.question(sql("waits"), replace(filters, status="open"), split_by=split_by), "tasks"
    )


def ends(worklist: Worklist, filters: Filters, split_by: str = "type") -> pd.DataFrame:
    """The closed tasks: split, closed, each of CLOSE_KINDS, returned; reopened counts open tasks too, of which open_again are.

    A task returned when within RETURN_DAYS of its closing a new one of the same subject opened: the newest have not had the time.
    """
    return _ordered(
        worklist.question(sql("ends"), replace(filters, status="all"), split_by=split_by), "closed"
    )


def deferrals(worklist: Worklist, filters: Filters, split_by: str = "type") -> pd.DataFrame:
    """All tasks, open and closed: split, tasks, deferred and deferred_again (tasks), deferrals (acts), days (hidden so far).

    Split by "person" are the tasks each person put off, whosever they were.
    """
    found = _ordered(
        worklist.question(sql("deferrals"), replace(filters, status="all"), split_by=split_by),
        "deferrals",
    )
    return found.assign(days=found.pop("seconds").astype(float) / DAY)


def held(worklist: Worklist, filters: Filters) -> pd.DataFrame:
    """Whoever owned tasks that match: split (staff id or unassigned), tasks, holding now, closed while theirs; days, median and p90 of a task.

    The tasks that an owner neither holds nor closed went to somebody else.
    """
    found = _ordered(worklist.question(sql("held"), replace(filters, status="all")), "tasks")
    seconds = {"days": "seconds", "median": "median_seconds", "p90": "p90_seconds"}
    return found.assign(
        **{name: found[column].astype(float) / DAY for name, column in seconds.items()}
    ).drop(columns=list(seconds.values()))


def money(worklist: Worklist, filters: Filters) -> pd.DataFrame:
    """The open tasks in which dollars wait: rule_id, title, age_band, tasks, amount (Decimal)."""
    found = outcomes.ages(worklist, filters)
    return found.loc[
        found["rule_id"].isin(MONEY), ["rule_id", "title", "age_band", "tasks", "amount"]
    ].reset_index(drop=True)


def _ordered(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    return rows.sort_values([by, "split"], ascending=[False, True], ignore_index=True)


def ages(worklist: Worklist, filters: Filters) -> pd.DataFrame:
    """The open tasks by type and age band: rule_id, title, category, age_band, tasks, overdue, amount; every band of every type that has tasks."""
    found = worklist.question(sql("ages"), replace(filters, status="open"))
    return found.assign(age_band=pd.Categorical(found["age_band"], list(AGE_BANDS))).sort_values(
        ["category", "title", "age_band"], ignore_index=True
    )
