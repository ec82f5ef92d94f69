"""Time to clear: Kaplan-Meier estimates that count open tasks, by the values of a split.

Durations are whole days at the facility.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times, qth_survival_time

from pipelines.analytics import sql
from pipelines.vocabulary import WORK_DONE
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

LATE_DAYS = 1  # a task first seen later than this after it fell due is a late entry


@dataclass(frozen=True)
class Survival:
    """How long the tasks of one split value take, in days.

    The naive figures cover cleared tasks only; the others are Kaplan-Meier estimates in which
    all other tasks are censored. None where the median or its confidence limit is not reached.
    `inferred` counts tasks whose day is that of the extract that first showed them.
    `curve` has days, share (still open), lower and upper.
    """

    split: str
    cleared: int
    still_open: int
    ended_otherwise: int
    late_entries: int
    inferred: int
    naive_median: float | None
    naive_p90: float | None
    median: float | None
    median_lower: float | None
    median_upper: float | None
    curve: pd.DataFrame

    @property
    def tasks(self) -> int:
        """All tasks of this value, open or ended."""
        return self.cleared + self.still_open + self.ended_otherwise

    def share_open(self, after_days: float) -> float:
        """The share of tasks still open after this many days, from 0 to 1."""
        return float(self.curve.loc[self.curve["days"] <= after_days, "share"].iloc[-1])


def survivals(
    worklist: Worklist,
    filters: Filters,
    split_by: str = "all",
    clock: str = "since",
    most: int | None = None,
) -> list[Survival]:
    """Time to clear by the values of a split, open and closed tasks, most tasks first.

    `split_by` is one of SPLITS; `most` limits the number of values. `clock` counts the days
    "since" the task fell due, "active" without deferred time, or since it was first "opened".
    """
    rows = worklist.question(
        sql("durations"),
        replace(filters, status="all"),
        split_by=split_by,
        clock=clock,
        late_days=LATE_DAYS,
    )
    if most is not None:
        totals = rows.groupby("split")["tasks"].sum()
        largest = totals.sort_values(ascending=False, kind="stable").index[:most]
        rows = rows[rows["split"].isin(largest)]
    found = [_survival(str(value), of_value) for value, of_value in rows.groupby("split")]
    return sorted(found, key=lambda survival: (-survival.tasks, survival.split))


def _survival(split: str, rows: pd.DataFrame) -> Survival:
    is_cleared, is_open = rows["ended_as"].isin(WORK_DONE), rows["ended_as"] == "open"
    days, tasks = rows["days"].astype(float), rows["tasks"].astype(int)
    fitted = KaplanMeierFitter().fit(days, event_observed=is_cleared, weights=tasks)
    # Rounded: floating point turns 4 of 8 into 0.5000000000000001, which misses the median.
    # One column: lifelines turns a frame with a single row into a bare number.
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
    closed = days[is_cleared].repeat(tasks[is_cleared].tolist())
    return Survival(
        split=split,
        cleared=int(tasks[is_cleared].sum()),
        still_open=int(tasks[is_open].sum()),
        ended_otherwise=int(tasks[~is_cleared & ~is_open].sum()),
        late_entries=int(rows["late_entries"].sum()),
        inferred=int(rows["inferred"].sum()),
        naive_median=None if closed.empty else float(closed.median()),
        naive_p90=None if closed.empty else float(closed.quantile(0.9)),
        median=_finite(median),
        median_lower=_finite(limits[0]),
        median_upper=_finite(limits[1]),
        curve=curve,
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
