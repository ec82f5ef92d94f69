"""What managers and analysts measure of the list: flow and backlog, age, time to clear, how tasks end, who holds them, money waiting.

Days are the facility's. A week runs from Sunday to Saturday. Every number is of tasks that Worklist.tasks lists with the same filters.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import pandas as pd

from pipelines.analytics import sql
from pipelines.analytics.period import Period
from pipelines.vocabulary import CLOSE_GROUPS
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

MOVES = ["came_in", "went_out", *CLOSE_GROUPS]


@dataclass(frozen=True)
class Littles:
    """Little's law over a period: the average backlog divided by how many leave a day should be the days a task stays on the list.

    `stayed` is what those that left in the period did stay, in days from when the workbench first saw them; None where none left.
    """

    period: Period
    average_open: float
    went_out: int
    expected: float | None
    stayed: float | None


@dataclass(frozen=True)
class Flow:
    """How the list moved in a period: one row a step and value of the split, the period before it as one step, and Little's law of all.

    Rows have first, last, split, came_in, went_out, of it each of CLOSE_GROUPS, and open_at_end. A value that had no task by the end of the
    period has no rows.
    """

    steps: pd.DataFrame
    before: pd.DataFrame
    littles: Littles


def flow(worklist: Worklist, filters: Filters, period: Period, split_by: str = "all") -> Flow:
    """How the list moved; days are evenings of the facility."""
    before = period.before()
    moved = worklist.question(
        sql("flow"),
        replace(filters, status="all"),
        split_by=split_by,
        before_on=before.first,
        first_on=period.first,
        last_on=period.last,
        step=period.step,
    )
    # Every value has every step; the first of them, which holds all the past, only begins the backlog.
    past, whole = (
        (before.first - dt.timedelta(days=1), before.first - dt.timedelta(days=1)),
        (before.first, before.last),
    )
    steps = pd.DataFrame([past, whole, *period.steps()], columns=["first", "last"])
    grid = steps.merge(
        pd.DataFrame(
            {"split": pd.Series(sorted(moved["split"].unique()), dtype=moved["split"].dtype)}
        ),
        how="cross",
    )
    moved = moved.assign(
        first=pd.to_datetime(moved["step_on"]).dt.date,
        open_at_end=moved["came_in"] - moved["went_out"],
    )
    numbers = [*MOVES, "open_at_end"]
    counted = grid.merge(moved[["split", "first", *numbers]], on=["split", "first"], how="left")
    counted = (
        counted.fillna(dict.fromkeys(numbers, 0))
        .astype(dict.fromkeys(numbers, int))
        .sort_values(["split", "first"])
    )
    counted["open_at_end"] = counted.groupby("split")["open_at_end"].cumsum()
    counted = counted[["first", "last", "split", *numbers]]
    is_step, is_before = counted["first"] >= period.first, counted["first"] == before.first
    littles = _littles(period, int(moved["evenings"].sum()), moved[moved["first"] >= period.first])
    return Flow(
        counted[is_step].reset_index(drop=True), counted[is_before].reset_index(drop=True), littles
    )


def _littles(period: Period, evenings: int, moved: pd.DataFrame) -> Littles:
    length, went_out = (period.last - period.first).days + 1, int(moved["went_out"].sum())
    average = evenings / length
    if went_out == 0:
        return Littles(period, average, 0, None, None)
    return Littles(
        period,
        average,
        went_out,
        average / (went_out / length),
        int(moved["days"].sum()) / went_out,
    )


def moved_often(worklist: Worklist, filters: Filters, period: Period) -> tuple[int, int]:
    """How many of what came in, and of what went out, in a period are of tasks counted in it already: flow counts each time, a list has them once."""
    found = worklist.question(
        sql("moved_often"),
        replace(filters, status="all"),
        first_on=period.first,
        last_on=period.last,
    ).iloc[0]
    return int(found["came_again"]), int(found["went_again"])


def standing(worklist: Worklist, filters: Filters, split_by: str = "all") -> pd.DataFrame:
    """The tasks of a list by the values of a split, most tasks first: split, tasks, overdue, deferred, oldest, oldest_days, amount (that waits)."""
    return worklist.question(sql("standing"), filters, split_by=split_by).sort_values(
        ["tasks", "split"], ascending=[False, True], ignore_index=True
    )


def standing_then(
    worklist: Worklist, filters: Filters, day: dt.date, split_by: str = "all"
) -> pd.DataFrame:
    """The tasks that were on the list in the evening of a day, by the values of a split: split, tasks, overdue and deferred (as they stood)."""
    return worklist.question(
        sql("standing_then"), replace(filters, status="all"), split_by=split_by, stood_on=day
    )
