"""How the list moves: arrivals, departures, the backlog of each evening, and Little's law.

Days are the facility's. All numbers count tasks that Worklist.tasks lists for the same filters.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import pandas as pd

from pipelines.analytics import sql
from pipelines.analytics.period import Period
from pipelines.vocabulary import CLOSE_GROUP_OF, CLOSE_GROUPS
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

CAME_IN = "came_in"
MOVES = [CAME_IN, "went_out", *CLOSE_GROUPS]


@dataclass(frozen=True)
class Littles:
    """Little's law over a period: average backlog ÷ departures per day = expected days on the list.

    `stayed` is the mean of the tasks that left, in days since the workbench first saw them. Both
    are None where no task left.
    """

    period: Period
    average_open: float
    went_out: int
    expected: float | None
    stayed: float | None


@dataclass(frozen=True)
class Flow:
    """How the list moved: one row per step and split value, and the period before as one step.

    Columns: first, last (days), split, came_in, went_out, its parts by CLOSE_GROUPS, open_at_end.
    A value without a task by the end of the period has no rows.
    """

    steps: pd.DataFrame
    before: pd.DataFrame
    littles: Littles


def flow(worklist: Worklist, filters: Filters, period: Period, split_by: str = "all") -> Flow:
    """How the list moved in a period, by the values of a split (one of SPLITS)."""
    before = period.before()
    rows = worklist.question(
        sql("flow"),
        replace(filters, status="all"),
        split_by=split_by,
        before_on=before.first,
        first_on=period.first,
        last_on=period.last,
        step=period.step,
    )
    rows = rows.assign(first=pd.to_datetime(rows["step_on"]).dt.date)
    moved = _moves(rows)
    # Every value gets every step; the first step holds all earlier tasks and starts the backlog.
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
    went_out = rows[(rows["moved"] != CAME_IN) & (rows["first"] >= period.first)]
    littles = _littles(period, int(rows["evenings"].sum()), went_out)
    return Flow(
        counted[is_step].reset_index(drop=True), counted[is_before].reset_index(drop=True), littles
    )


def _moves(rows: pd.DataFrame) -> pd.DataFrame:
    """The tasks of flow.sql with a column for each of MOVES and the change of the backlog."""
    moves = rows["moved"].map({CAME_IN: CAME_IN, **CLOSE_GROUP_OF})
    counted = rows.groupby(["split", "first", moves])["tasks"].sum().unstack(fill_value=0)
    counted = counted.reindex(columns=[CAME_IN, *CLOSE_GROUPS], fill_value=0).astype(int)
    went_out = counted[list(CLOSE_GROUPS)].sum(axis="columns")
    return counted.assign(went_out=went_out, open_at_end=counted[CAME_IN] - went_out).reset_index()


def _littles(period: Period, evenings: int, moved: pd.DataFrame) -> Littles:
    length, went_out = (period.last - period.first).days + 1, int(moved["tasks"].sum())
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
    """How many arrivals and departures of a period repeat a task that `flow` already counted."""
    found = worklist.question(
        sql("moved_often"),
        replace(filters, status="all"),
        first_on=period.first,
        last_on=period.last,
    ).iloc[0]
    return int(found["came_again"]), int(found["went_again"])


def standing(worklist: Worklist, filters: Filters, split_by: str = "all") -> pd.DataFrame:
    """The matching tasks by the values of a split, most tasks first.

    Columns: split, tasks, overdue, deferred, oldest (day), oldest_days, amount (dollars waiting).
    """
    return worklist.question(sql("standing"), filters, split_by=split_by).sort_values(
        ["tasks", "split"], ascending=[False, True], ignore_index=True
    )


def standing_then(
    worklist: Worklist, filters: Filters, day: dt.date, split_by: str = "all"
) -> pd.DataFrame:
    """The tasks on the list in the evening of a day: split, tasks, overdue, deferred (then)."""
    return worklist.question(
        sql("standing_then"), replace(filters, status="all"), split_by=split_by, stood_on=day
    ).sort_values("split", ignore_index=True)
