"""Numbers of reports only: facilities side by side, and a period beside the one before it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pandas as pd

from pipelines.analytics import flow as analytics_flow
from pipelines.analytics.period import Period
from pipelines.reports.cells import is_missing
from pipelines.runs import history
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

# The columns of `oldest`; none of them identifies the patient.
OLDEST = ["task_id", "title", "facility", "since", "age_days", "active_age_days", "status"]


def by_facility(listed: Worklist, filters: Filters, period: Period) -> pd.DataFrame:
    """One row per facility, ordered by name.

    facility_id, facility; of now: open, overdue (pending tasks), deferred, amount (Decimal),
    oldest_days, overdue_share (of open); of the period: came_in, went_out, net, open_at_end; of the
    evening before it: open_before, overdue_before, deferred_before; of the period before:
    came_in_before, went_out_before, net_before.
    """
    open_ones = replace(filters, status="open")
    flow = analytics_flow.flow(listed, filters, period, "facility")
    moved, before = (_moved(steps) for steps in (flow.steps, flow.before))
    then = (
        analytics_flow.standing_then(listed, open_ones, period.before().last, "facility")
        .set_index("split")
        .add_suffix("_before")
    )
    now = (
        analytics_flow.standing(listed, open_ones, "facility")
        .set_index("split")
        .rename(columns={"tasks": "open"})
    )
    facility_ids = listed.facilities()[["facility_id", "name"]].rename(columns={"name": "facility"})
    if filters.facility_ids:
        facility_ids = facility_ids[facility_ids["facility_id"].isin(filters.facility_ids)]
    rows = facility_ids.set_index("facility_id").join(
        [now, moved, before.drop(columns="open_at_end").add_suffix("_before"), then]
    )
    counted = [
        "open",
        "overdue",
        "deferred",
        *moved,
        *(
            f"{name}_before"
            for name in ("came_in", "went_out", "net", "tasks", "overdue", "deferred")
        ),
    ]
    amounts = [Decimal(0) if is_missing(amount) else amount for amount in rows["amount"]]
    rows = rows.assign(
        **{name: rows[name].fillna(0).astype(int) for name in counted},
        amount=pd.Series(amounts, index=rows.index, dtype=object),
    )
    rows = rows.rename(columns={"tasks_before": "open_before"}).reset_index()
    rows["overdue_share"] = [
        late / tasks if tasks else 0.0
        for late, tasks in zip(rows["overdue"], rows["open"], strict=True)
    ]
    return rows.drop(columns="oldest")


def _moved(steps: pd.DataFrame) -> pd.DataFrame:
    found = steps.groupby("split").agg(
        came_in=("came_in", "sum"),
        went_out=("went_out", "sum"),
        open_at_end=("open_at_end", "last"),
    )
    return found.assign(net=found["came_in"] - found["went_out"])


def beside_the_one_before(listed: Worklist, filters: Filters, period: Period) -> pd.DataFrame:
    """Two rows, the period and the one of the same length before it.

    Columns: first, last, came_in, went_out, net, open_before, open_at_end.
    """
    flow = analytics_flow.flow(listed, filters, period)
    rows = []
    for chosen, steps in ((period, flow.steps), (period.before(), flow.before)):
        came, went = int(steps["came_in"].sum()), int(steps["went_out"].sum())
        end = int(steps["open_at_end"].iloc[-1]) if len(steps) else 0
        rows.append(
            {
                "first": chosen.first,
                "last": chosen.last,
                "came_in": came,
                "went_out": went,
                "net": came - went,
                "open_at_end": end,
            }
        )
    return pd.DataFrame(rows).assign(open_before=lambda found: found["open_at_end"] - found["net"])


def oldest(listed: Worklist, filters: Filters, most: int = 5) -> pd.DataFrame:
    """The oldest open tasks, at most `most`, with the columns of OLDEST."""
    return listed.tasks(replace(filters, status="open"), limit=most)[OLDEST]


def history_begins(listed: Worklist) -> dt.date:
    """The UTC day of the first run; tasks it opened may be much older."""
    return history.runs(listed.con, limit=1_000_000)["as_of"].min().date()
