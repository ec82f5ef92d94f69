"""Flow and backlog, against plain pandas over the events of five replayed weeks."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from pipelines import settings
from pipelines.analytics import flow as analytics_flow
from pipelines.analytics import outcomes, period
from pipelines.analytics import survival as analytics_survival
from pipelines.analytics.period import Period
from pipelines.demo import build
from pipelines.errors import UserError
from pipelines.vocabulary import GROUPED_CLOSE_KINDS
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist, open_worklist
from tests.conftest import Workbench
from tests.practice import Practice

AT = build.START
IN, OUT = (
    {"opened", "reopened", "came_back"},
    {"completed", "override", "cleared", "withdrawn", "converted", "discharged", "source_gone"},
)
WEEKS = Period(dt.date(2026, 10, 18), dt.date(2026, 11, 20), "week")
DAYS = Period(dt.date(2026, 10, 18), dt.date(2026, 11, 20))


@pytest.fixture(scope="module")
def practice(demo_data: Path) -> settings.Settings:
    return build.settings_for(settings.load({"WORKBENCH_DATA": str(demo_data)}))


@pytest.fixture(scope="module")
def worklist(practice: settings.Settings) -> Iterator[Worklist]:
    with open_worklist(practice, AT) as found:
        yield found


@pytest.fixture(scope="module")
def events(worklist: Worklist) -> pd.DataFrame:
    """Every event with type, facility and local day, oldest first, from the patients' histories."""
    zones = worklist.facilities().set_index("facility_id")["time_zone"]
    tasks = worklist.tasks(Filters(status="all"))
    frame = pd.concat([worklist.history(patient) for patient in sorted(set(tasks["patient_id"]))])
    frame = frame[frame["event"].isin(IN | OUT)].merge(
        tasks[["task_id", "category"]], on="task_id", suffixes=("", "_of_task")
    )
    day = [
        at.astimezone(ZoneInfo(zones[facility])).date()
        for at, facility in zip(frame["happened_at"], frame["facility_id"], strict=True)
    ]
    return frame.assign(day=day).sort_values(["happened_at", "task_id"], kind="stable")


def open_in_the_evening(events: pd.DataFrame, day: dt.date) -> set[str]:
    """The tasks whose last move until the end of a day was onto the list."""
    last = events[events["day"] <= day].groupby("task_id")["event"].last()
    return set(last[last.isin(IN)].index)


def test_a_week_begins_on_sunday_and_is_cut_where_the_period_ends() -> None:
    steps = list(Period(dt.date(2026, 11, 3), dt.date(2026, 11, 16), "week").steps())
    assert [(str(first), str(last)) for first, last in steps] == [
        ("2026-11-03", "2026-11-07"),
        ("2026-11-08", "2026-11-14"),
        ("2026-11-15", "2026-11-16"),
    ]
    assert period.last_weeks(dt.date(2026, 11, 20), 2) == Period(
        dt.date(2026, 11, 8), dt.date(2026, 11, 20)
    )
    assert Period(dt.date(2026, 11, 8), dt.date(2026, 11, 14)).before() == Period(
        dt.date(2026, 11, 1), dt.date(2026, 11, 7)
    )


def test_the_backlog_of_every_day_is_what_the_events_say(
    worklist: Worklist, events: pd.DataFrame
) -> None:
    flow = analytics_flow.flow(worklist, Filters(), DAYS).steps
    evenings = {first: open_in_the_evening(events, first) for first, _ in DAYS.steps()}
    assert dict(zip(flow["first"], flow["open_at_end"], strict=True)) == {
        day: len(tasks) for day, tasks in evenings.items()
    }
    before: set[str] = set()
    for row in flow.itertuples():
        moved = events[events["day"] == row.first]
        came = {
            task for task in moved.loc[moved["event"].isin(IN), "task_id"] if task not in before
        }
        assert (row.came_in, row.went_out) == (
            len(came),
            len((before | came) - evenings[row.first]),
        )
        assert (
            row.went_out
            == row.by_system
            + row.completed
            + row.override
            + row.withdrawn
            + row.discharged
            + row.source_gone
        )
        before = evenings[row.first]


@pytest.mark.parametrize("split", ["category", "type", "facility", "payer", "staff"])
def test_a_split_adds_up_to_the_whole(worklist: Worklist, split: str) -> None:
    whole = analytics_flow.flow(worklist, Filters(), WEEKS).steps.set_index("first")[
        ["came_in", "went_out", "open_at_end"]
    ]
    parts = (
        analytics_flow.flow(worklist, Filters(), WEEKS, split)
        .steps.groupby("first")[["came_in", "went_out", "open_at_end"]]
        .sum()
    )
    pd.testing.assert_frame_equal(parts, whole, check_dtype=False)


def stays(events: pd.DataFrame) -> list[tuple[str, dt.date, dt.date, str]]:
    """(task, day it came, day it left or far ahead, how) of every stay of a task on the list."""
    found: list[tuple[str, dt.date, dt.date, str]] = []
    for task, of_task in events.groupby("task_id"):
        mine: list[tuple[str, dt.date, dt.date, str]] = []
        for row in of_task.itertuples():
            is_on = bool(mine) and mine[-1][2] == dt.date.max
            if row.event in IN and not is_on:
                came = mine.pop()[1] if mine and mine[-1][2] == row.day else row.day
                mine.append((str(task), came, dt.date.max, ""))
            elif row.event in OUT and is_on:
                mine.append((*mine.pop()[:2], row.day, row.event))
        found += mine
    return found


@pytest.mark.parametrize(
    "filters",
    [Filters(), Filters(categories=("Clinical",), facility_ids=("003",))],
    ids=["all", "clinical"],
)
def test_every_number_leads_to_exactly_those_tasks(
    worklist: Worklist, events: pd.DataFrame, filters: Filters
) -> None:
    chosen = events
    if filters.facility_ids:
        chosen = events[
            events["facility_id"].isin(filters.facility_ids)
            & events["category_of_task"].isin(filters.categories)
        ]
    every, eve, repeated = stays(chosen), WEEKS.first - dt.timedelta(days=1), 0
    flow = analytics_flow.flow(worklist, filters, WEEKS)
    arrived, left = int(flow.before["open_at_end"].sum()), 0
    for row in flow.steps.itertuples():
        week = {"out_from": row.first, "out_to": row.last}
        gone = [stay for stay in every if row.first <= stay[2] <= row.last]
        went = {
            kind: [stay for stay in gone if stay[3] in ends]
            for kind, ends in GROUPED_CLOSE_KINDS.items()
        }
        came = [stay for stay in every if row.first <= stay[1] <= row.last]
        arrived, left = arrived + row.came_in, left + row.went_out
        numbers = {
            "open": (
                row.open_at_end,
                {"open_on": row.last},
                [stay for stay in every if stay[1] <= row.last < stay[2]],
            ),
            "came": (row.came_in, {"in_from": row.first, "in_to": row.last}, came),
            "went": (row.went_out, week, gone),
            **{
                kind: (getattr(row, kind), {**week, "close_kinds": ends}, went[kind])
                for kind, ends in GROUPED_CLOSE_KINDS.items()
            },
            "left since": (
                left,
                {"out_from": WEEKS.first, "out_to": row.last},
                [stay for stay in every if WEEKS.first <= stay[2] <= row.last],
            ),
            "arrived": (
                arrived,
                {"open_on": row.last, "open_since": eve},
                [stay for stay in every if stay[1] <= row.last and stay[2] > eve],
            ),
        }
        for name, (number, days, expected) in numbers.items():
            listed = worklist.tasks(replace(filters, status="all", **days))["task_id"].tolist()
            assert sorted(listed) == sorted({stay[0] for stay in expected}), (row.first, name)
            assert number == len(expected), (row.first, name)
            repeated += len(expected) - len(listed)
    # A number exceeds its list only by tasks that came or went twice; the page shows how many.
    came_again, went_again = analytics_flow.moved_often(worklist, filters, WEEKS)
    assert came_again > 0 and went_again > 0 and repeated > 0
    assert len(
        [stay for stay in every if WEEKS.first <= stay[2] <= WEEKS.last]
    ) - went_again == len(
        worklist.tasks(replace(filters, status="all", out_from=WEEKS.first, out_to=WEEKS.last))
    )


@pytest.mark.parametrize("split", ["all", "type", "facility", "payer"])
def test_how_tasks_stood_in_a_past_evening_is_what_time_travel_lists(
    practice: settings.Settings, worklist: Worklist, split: str
) -> None:
    evening = dt.datetime(2026, 11, 12, 23, 59, 59, tzinfo=ZoneInfo("America/New_York"))
    found = analytics_flow.standing_then(worklist, Filters(), evening.date(), split).set_index(
        "split"
    )
    with open_worklist(practice, evening) as then:
        expected = analytics_flow.standing(then, Filters("open"), split).set_index("split")
        lists = {
            name: set(then.tasks(Filters(name))["task_id"]) for name in ("overdue", "deferred")
        }
    names = ["tasks", "overdue", "deferred"]
    pd.testing.assert_frame_equal(
        found[names].sort_index(), expected[names].sort_index(), check_dtype=False
    )
    assert all(expected[names].sum() > 0)
    for name, tasks in lists.items():
        assert (
            set(worklist.tasks(Filters("all", open_on=evening.date(), stood_as=name))["task_id"])
            == tasks
        )
    with pytest.raises(UserError, match="open_since and stood_as need open_on"):
        worklist.tasks(Filters("all", stood_as="overdue"))


def test_the_list_of_a_past_evening_is_the_one_of_time_travel(
    practice: settings.Settings, worklist: Worklist
) -> None:
    evening = dt.datetime(2026, 11, 12, 23, 59, 59, tzinfo=ZoneInfo("America/New_York"))
    with open_worklist(practice, evening) as then:
        wanted = set(then.tasks(Filters("open", ("001",)))["task_id"])
    assert (
        set(worklist.tasks(Filters("all", ("001",), open_on=evening.date()))["task_id"]) == wanted
    )


def kaplan_meier(rows: pd.DataFrame) -> list[tuple[int, float]]:
    """(day, share still open) by the textbook: at each day the survivors among those at risk."""
    share, curve = 1.0, []
    for day in sorted(set(rows["days"])):
        at_risk, cleared = (
            (rows["days"] >= day).sum(),
            ((rows["days"] == day) & rows["is_cleared"]).sum(),
        )
        share *= 1 - cleared / at_risk
        curve.append((day, share))
    return curve


@pytest.mark.parametrize(
    ("clock", "split"),
    [("since", "type"), ("since", "facility"), ("opened", "all"), ("active", "category")],
)
def test_time_to_clear_is_kaplan_meiers_beside_the_naive_median(
    worklist: Worklist, clock: str, split: str
) -> None:
    tasks = worklist.tasks(Filters(status="all"))
    zones = worklist.facilities().set_index("facility_id")["time_zone"]
    opened = pd.Series(
        [
            at.astimezone(ZoneInfo(zones[f])).date()
            for at, f in zip(tasks["opened_at"], tasks["facility_id"], strict=True)
        ]
    )
    late = (pd.to_datetime(opened) - pd.to_datetime(tasks["since"])).dt.days
    days = {
        "since": tasks["age_days"],
        "active": tasks["active_age_days"],
        "opened": tasks["age_days"] - late,
    }[clock].clip(lower=0)
    key = {
        "type": tasks["rule_id"],
        "facility": tasks["facility_id"],
        "category": tasks["category"],
        "all": pd.Series("all", tasks.index),
    }[split]
    rows = pd.DataFrame(
        {
            "split": key,
            "days": days.astype(int),
            "is_cleared": tasks["close_kind"].isin(["cleared", "completed", "override"]),
        }
    )
    found = {
        survival.split: survival
        for survival in analytics_survival.survivals(worklist, Filters(), split, clock)
    }
    assert set(found) == set(rows["split"])
    for value, of_value in rows.groupby("split"):
        survival, curve = found[value], dict(kaplan_meier(of_value))
        shares = survival.curve.set_index("days")["share"]
        assert all(math.isclose(shares[day], share, abs_tol=1e-9) for day, share in curve.items())
        median = next((day for day, share in curve.items() if share <= 0.5 + 1e-12), None)
        assert survival.median == median
        closed = of_value.loc[of_value["is_cleared"], "days"]
        assert (survival.cleared, survival.naive_median) == (
            len(closed),
            float(closed.median()) if len(closed) else None,
        )
        assert survival.cleared + survival.still_open + survival.ended_otherwise == len(of_value)


def test_tasks_of_which_none_is_a_day_old_have_a_curve_too(workbench: Workbench) -> None:
    small = Practice()
    for key, began in (("A", "2026-10-20T09:00:00"), ("B", "2026-10-30T09:00:00")):
        small.patient(key).add("cases", f"C-{key}", patient_id=key)
        small.visit(f"V-{key}", key, began, amount_due="5.00")
    workbench.run(small, 1)
    paid = Filters(rule_ids=("uncollected_payments",))
    with open_worklist(settings.load(), workbench.day(1)) as listed:
        (seen,) = analytics_survival.survivals(listed, paid, clock="opened")
    assert (seen.still_open, seen.cleared, seen.median, seen.curve["days"].tolist()) == (
        2,
        0,
        None,
        [0.0],
    )
    workbench.act("complete", workbench.one(1, "uncollected_payments", "V-A"), 1.1)
    with open_worklist(settings.load(), workbench.day(1.2)) as listed:
        (seen,) = analytics_survival.survivals(listed, paid, clock="opened")
    assert (seen.still_open, seen.cleared, seen.median, seen.curve["share"].tolist()) == (
        1,
        1,
        0.0,
        [0.5],
    )


def test_ages_are_the_open_tasks_of_the_list(worklist: Worklist) -> None:
    ages, tasks = (
        outcomes.ages(worklist, Filters(facility_ids=("002",))),
        worklist.tasks(Filters("open", ("002",))),
    )
    assert ages["tasks"].sum() == len(tasks)
    for row in ages.itertuples():
        of_cell = tasks[(tasks["rule_id"] == row.rule_id) & (tasks["age_band"] == row.age_band)]
        assert (row.tasks, row.overdue, row.amount) == (
            len(of_cell),
            int(of_cell["overdue"].sum()),
            sum(of_cell["amount"].dropna(), Decimal(0)),
        )
