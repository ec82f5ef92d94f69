"""What managers and analysts measure of the list: flow and backlog, age, time to clear, how tasks end, who holds them, money waiting.

Days are the clinic's. A week runs from Sunday to Saturday. Every number is of tasks that Worklist.tasks lists with the same filters.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times, qth_survival_time

from pipelines.worklist import AGE_BANDS, Filters, Worklist

SPLITS = ("all", "category", "type", "facility", "payer", "staff")
CLOCKS = ("since", "active", "opened")  # from the day it fell due; the same less deferred time; from the day the workbench first saw it
LATE_DAYS = 1  # a task first seen more than this after it fell due came in late: nobody could have cleared it before
CLEARED = ("cleared", "completed", "override")  # the ends that mean the work is done; discharged and source_gone are censored


@dataclass(frozen=True)
class Period:
    """Days from first to last, both included, in steps of a day or a week."""

    first: dt.date
    last: dt.date
    step: str = "day"

    def steps(self) -> Iterator[tuple[dt.date, dt.date]]:
        """First and last day of each step; a week is cut where the period begins or ends."""
        first = self.first
        while first <= self.last:
            last = first if self.step == "day" else first + dt.timedelta(days=6 - (first.weekday() + 1) % 7)
            yield first, min(last, self.last)
            first = last + dt.timedelta(days=1)

    def before(self) -> Period:
        """The period of the same length that ends the day before this one begins."""
        length = self.last - self.first
        return replace(self, first=self.first - length - dt.timedelta(days=1), last=self.first - dt.timedelta(days=1))


def last_weeks(today: dt.date, weeks: int) -> Period:
    """So many weeks from a Sunday on, the last of them being the one of `today` so far."""
    sunday = today - dt.timedelta(days=(today.weekday() + 1) % 7)
    return Period(sunday - dt.timedelta(weeks=weeks - 1), today)


# How tasks end, as who asks counts it, and the ends of tasks that this takes together.
KINDS_OF_END = {
    "by_system": ("cleared", "converted"),
    "completed": ("completed",),
    "override": ("override",),
    "discharged": ("discharged",),
    "source_gone": ("source_gone",),
}
MOVES = ["came_in", "went_out", *KINDS_OF_END]


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

    Rows have first, last, split, came_in, went_out, of it each of KINDS_OF_END, and open_at_end. A value that had no task by the end of the
    period has no rows.
    """

    steps: pd.DataFrame
    before: pd.DataFrame
    littles: Littles


def flow(worklist: Worklist, filters: Filters, period: Period, split_by: str = "all") -> Flow:
    """How the list moved; days are evenings of the clinic."""
    before = period.before()
    moved = worklist.question(
        "flow",
        replace(filters, status="all"),
        split_by=split_by,
        before_on=before.first,
        first_on=period.first,
        last_on=period.last,
        step=period.step,
    )
    # Every value has every step; the first of them, which holds all the past, only begins the backlog.
    past, whole = (before.first - dt.timedelta(days=1), before.first - dt.timedelta(days=1)), (before.first, before.last)
    steps = pd.DataFrame([past, whole, *period.steps()], columns=["first", "last"])
    grid = steps.merge(pd.DataFrame({"split": pd.Series(sorted(moved["split"].unique()), dtype=moved["split"].dtype)}), how="cross")
    moved = moved.assign(first=pd.to_datetime(moved["step_on"]).dt.date, open_at_end=moved["came_in"] - moved["went_out"])
    numbers = [*MOVES, "open_at_end"]
    counted = grid.merge(moved[["split", "first", *numbers]], on=["split", "first"], how="left")
    counted = counted.fillna(dict.fromkeys(numbers, 0)).astype(dict.fromkeys(numbers, int)).sort_values(["split", "first"])
    counted["open_at_end"] = counted.groupby("split")["open_at_end"].cumsum()
    counted = counted[["first", "last", "split", *numbers]]
    is_step, is_before = counted["first"] >= period.first, counted["first"] == before.first
    littles = _littles(period, int(moved["evenings"].sum()), moved[moved["first"] >= period.first])
    return Flow(counted[is_step].reset_index(drop=True), counted[is_before].reset_index(drop=True), littles)


def _littles(period: Period, evenings: int, moved: pd.DataFrame) -> Littles:
    length, went_out = (period.last - period.first).days + 1, int(moved["went_out"].sum())
    average = evenings / length
    if went_out == 0:
        return Littles(period, average, 0, None, None)
    return Littles(period, average, went_out, average / (went_out / length), int(moved["days"].sum()) / went_out)


def moved_often(worklist: Worklist, filters: Filters, period: Period) -> tuple[int, int]:
    """How many of what came in, and of what went out, in a period are of tasks counted in it already: flow counts each time, a list has them once."""
    found = worklist.question("moved_often", replace(filters, status="all"), first_on=period.first, last_on=period.last).iloc[0]
    return int(found["came_again"]), int(found["went_again"])


def standing(worklist: Worklist, filters: Filters, split_by: str = "all") -> pd.DataFrame:
    """The tasks of a list by the values of a split, most tasks first: split, tasks, overdue, deferred, oldest, oldest_days, amount (that waits)."""
    return worklist.question("standing", filters, split_by=split_by).sort_values(["tasks", "split"], ascending=[False, True], ignore_index=True)


def standing_then(worklist: Worklist, filters: Filters, day: dt.date, split_by: str = "all") -> pd.DataFrame:
    """The tasks that were on the list in the evening of a day, by the values of a split: split, tasks, overdue and deferred (as they stood)."""
    return worklist.question("standing_then", replace(filters, status="all"), split_by=split_by, stood_on=day)


def ages(worklist: Worklist, filters: Filters) -> pd.DataFrame:
    """The open tasks by type and age band: rule_id, title, category, age_band, tasks, overdue, amount; every band of every type that has tasks."""
    found = worklist.question("ages", replace(filters, status="open"))
    return found.assign(age_band=pd.Categorical(found["age_band"], AGE_BANDS)).sort_values(["category", "title", "age_band"], ignore_index=True)


@dataclass(frozen=True)
class Survival:
    """How long tasks of one kind take: the naive figures over cleared ones, and Kaplan and Meier's with the others censored.

    Days; None where half of the tasks (or the confidence limit) is never reached. `curve` has days, share still open, lower, upper.
    """

    split: str
    cleared: int
    still_open: int
    ended_otherwise: int
    late_entries: int
    naive_median: float | None
    naive_p90: float | None
    median: float | None
    median_lower: float | None
    median_upper: float | None
    curve: pd.DataFrame


def survivals(worklist: Worklist, filters: Filters, split_by: str = "all", clock: str = "since", most: int | None = None) -> list[Survival]:
    """Time to clear by the values of a split, of the tasks that match whether open or closed, most tasks first, and at most so many."""
    rows = worklist.question("durations", replace(filters, status="all"), split_by=split_by, clock=clock, late_days=LATE_DAYS)
    if most is not None:
        rows = rows[rows["split"].isin(rows.groupby("split")["tasks"].sum().sort_values(ascending=False, kind="stable").index[:most])]
    found = [_survival(str(value), of_value) for value, of_value in rows.groupby("split")]
    return sorted(found, key=lambda survival: (-(survival.cleared + survival.still_open + survival.ended_otherwise), survival.split))


def _survival(split: str, rows: pd.DataFrame) -> Survival:
    is_cleared, is_open = rows["ended_as"].isin(CLEARED), rows["ended_as"] == "open"
    days, tasks = rows["days"].astype(float), rows["tasks"].astype(int)
    fitted = KaplanMeierFitter().fit(days, event_observed=is_cleared, weights=tasks)
    # Rounded, or a share of exactly one half would pass for more: 4 of 8 by products of floating point is 0.5000000000000001.
    # As one column: of a frame with day 0 alone, where no task is a day old, lifelines would make a bare number.
    median = qth_survival_time(0.5, fitted.survival_function_.iloc[:, 0].round(12))
    limits = median_survival_times(fitted.confidence_interval_.round(12)).to_numpy()[0] if is_cleared.any() else (math.inf, math.inf)
    bounds = fitted.confidence_interval_.to_numpy()
    curve = pd.DataFrame(
        {
            "days": fitted.survival_function_.index.to_numpy(),
            "share": fitted.survival_function_.to_numpy()[:, 0],
            "lower": bounds[:, 0],
            "upper": bounds[:, 1],
        }
    )
    closed = days[is_cleared].repeat(tasks[is_cleared])
    return Survival(
        split=split,
        cleared=int(tasks[is_cleared].sum()),
        still_open=int(tasks[is_open].sum()),
        ended_otherwise=int(tasks[~is_cleared & ~is_open].sum()),
        late_entries=int(rows["late_entries"].sum()),
        naive_median=None if closed.empty else float(closed.median()),
        naive_p90=None if closed.empty else float(closed.quantile(0.9)),
        median=_finite(median),
        median_lower=_finite(limits[0]),
        median_upper=_finite(limits[1]),
        curve=curve,
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
