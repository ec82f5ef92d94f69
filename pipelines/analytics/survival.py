"""What managers and analysts measure of the list: flow and backlog, age, time to clear, how tasks end, who holds them, money waiting.

Days are the facility's. A week runs from Sunday to Saturday. Every number is of tasks that Worklist.tasks lists with the same filters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times, qth_survival_time

from pipelines.analytics import sql
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

CLOCKS = (
    "since",
    "active",
    "opened",
)  # from the day it fell due; the same less deferred time; from the day the workbench first saw it
LATE_DAYS = 1  # a task first seen more than this after it fell due came in late: nobody could have cleared it before
CLEARED = (
    "cleared",
    "completed",
    "override",
)  # the ends that mean the work is done; discharged and source_gone are censored


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


def survivals(
    worklist: Worklist,
    filters: Filters,
    split_by: str = "all",
    clock: str = "since",
    most: int | None = None,
) -> list[Survival]:
    """Time to clear by the values of a split, of the tasks that match whether open or closed, most tasks first, and at most so many."""
    rows = worklist.question(
        sql("durations"),
        replace(filters, status="all"),
        split_by=split_by,
        clock=clock,
        late_days=LATE_DAYS,
    )
    if most is not None:
        rows = rows[
            rows["split"].isin(
                rows.groupby("split")["tasks"]
                .sum()
                .sort_values(ascending=False, kind="stable")
                .index[:most]
            )
        ]
    found = [_survival(str(value), of_value) for value, of_value in rows.groupby("split")]
    return sorted(
        found,
        key=lambda survival: (
            -(survival.cleared + survival.still_open + survival.ended_otherwise),
            survival.split,
        ),
    )


def _survival(split: str, rows: pd.DataFrame) -> Survival:
    is_cleared, is_open = rows["ended_as"].isin(CLEARED), rows["ended_as"] == "open"
    days, tasks = rows["days"].astype(float), rows["tasks"].astype(int)
    fitted = KaplanMeierFitter().fit(days, event_observed=is_cleared, weights=tasks)
    # Rounded, or a share of exactly one half would pass for more: 4 of 8 by products of floating point is 0.5000000000000001.
    # As one column: of a frame with day 0 alone, where no task is a day old, lifelines would make a bare number.
    median = qth_survival_time(0.5, fitted.survival_function_.iloc[:, 0].round(12))
    limits = (
        median_survival_times(fitted.confidence_interval_.round(12)).to_numpy()[0]
        if is_cleared.any()
        else (math.inf, math.inf)
    )
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
