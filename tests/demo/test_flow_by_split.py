"""The daily backlog by split, against plain pandas over the events of the replayed demo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from pipelines import settings
from pipelines.analytics import flow as analytics_flow
from pipelines.analytics.period import Period
from pipelines.demo import build
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist, open_worklist

IN, OUT = (
    {"opened", "reopened", "came_back"},
    {"completed", "override", "cleared", "withdrawn", "converted", "discharged", "source_gone"},
)
DAYS = Period(dt.date(2026, 10, 18), dt.date(2026, 11, 20))
COLUMNS = {
    "category": "category",
    "type": "rule_id",
    "facility": "facility_id",
    "payer": "payer_id",
    "staff": "staff_id",
}
NOBODY = {"payer": "self-pay", "staff": "unassigned"}


@pytest.fixture(scope="module")
def worklist(demo_data: Path) -> Iterator[Worklist]:
    with open_worklist(
        build.settings_for(settings.load({"WORKBENCH_DATA": str(demo_data)})), build.START
    ) as found:
        yield found


@pytest.fixture(scope="module")
def evenings(worklist: Worklist) -> pd.DataFrame:
    """One row per evening and open task, with its split values, from the patients' histories."""
    tasks = worklist.tasks(Filters(status="all")).set_index("task_id")
    zones = worklist.facilities().set_index("facility_id")["time_zone"]
    told = pd.concat([worklist.history(patient) for patient in sorted(set(tasks["patient_id"]))])
    told = told[told["event"].isin(IN | OUT)].sort_values(["happened_at", "task_id"], kind="stable")
    days = [
        at.astimezone(ZoneInfo(zones[tasks.at[task, "facility_id"]])).date()
        for task, at in zip(told["task_id"], told["happened_at"], strict=True)
    ]
    told = told.assign(day=days)
    rows = []
    for day, _ in DAYS.steps():
        last = told[told["day"] <= day].groupby("task_id")["event"].last()
        rows.append(tasks.loc[last[last.isin(IN)].index, list(COLUMNS.values())].assign(day=day))
    return pd.concat(rows)


@pytest.mark.parametrize("split", list(COLUMNS))
def test_the_backlog_of_every_day_by_each_value_is_what_the_events_say(
    worklist: Worklist, evenings: pd.DataFrame, split: str
) -> None:
    values = evenings[COLUMNS[split]].fillna(NOBODY.get(split, ""))
    expected = evenings.groupby(["day", values]).size()
    flow = analytics_flow.flow(worklist, Filters(), DAYS, split).steps
    found = flow[flow["open_at_end"] != 0].set_index(["first", "split"])["open_at_end"]
    assert dict(found) == dict(expected)
    assert DAYS.last in set(evenings["day"])
