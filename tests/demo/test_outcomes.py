"""Outcomes of tasks, against plain Python over five replayed weeks."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from pipelines import settings
from pipelines.analytics import flow as analytics_flow
from pipelines.analytics import outcomes, survival
from pipelines.analytics.period import Period
from pipelines.demo import build
from pipelines.errors import UserError
from pipelines.vocabulary import CLOSE_KINDS
from pipelines.worklist.filters import Filters
from pipelines.worklist.live import LiveWorklist
from pipelines.worklist.worklist import Worklist, open_worklist

AT = build.START
OUT = {"completed", "override", "cleared", "withdrawn", "converted", "discharged", "source_gone"}
SPLIT_OF = {
    "type": "rule_id",
    "category": "category",
    "facility": "facility_id",
    "payer": "payer_key",
    "staff": "staff_key",
}
MONTH = Period(dt.date(2026, 10, 23), dt.date(2026, 11, 19))


@pytest.fixture(scope="module")
def practice_of_demo(demo_data: Path) -> settings.Settings:
    return build.settings_for(settings.load({"WORKBENCH_DATA": str(demo_data)}))


@pytest.fixture(scope="module")
def worklist(practice_of_demo: settings.Settings) -> Iterator[Worklist]:
    with open_worklist(practice_of_demo, AT) as found:
        yield found


@pytest.fixture(scope="module")
def tasks(worklist: Worklist) -> pd.DataFrame:
    rows = worklist.tasks(Filters("all"))
    return rows.assign(
        payer_key=rows["payer_id"].fillna("self-pay"),
        staff_key=rows["staff_id"].fillna("unassigned"),
    )


@pytest.fixture(scope="module")
def stories(worklist: Worklist, tasks: pd.DataFrame) -> dict[str, list]:
    """Each task's events, oldest first: taken from each patient's history, as a person reads it."""
    found = defaultdict(list)
    for patient in sorted(set(tasks["patient_id"])):
        for event in worklist.history(patient).itertuples():
            found[event.task_id].append(event)
    return found


def rows_of(found: pd.DataFrame) -> dict[str, object]:
    return {row.split: row for row in found.itertuples()}


@pytest.mark.parametrize("split", list(SPLIT_OF))
def test_ages_with_and_without_deferred_time(
    worklist: Worklist, tasks: pd.DataFrame, stories: dict, split: str
) -> None:
    found = rows_of(outcomes.waits(worklist, Filters(), split))
    open_tasks = tasks[tasks["is_open"]]
    hidden = {
        task_id: sum(seconds for _, seconds in deferrals_of(stories[task_id])) // 86_400
        for task_id in open_tasks["task_id"]
    }
    active = open_tasks["age_days"] - open_tasks["task_id"].map(hidden)
    assert set(found) == set(open_tasks[SPLIT_OF[split]])
    for value, of_value in open_tasks.groupby(SPLIT_OF[split]):
        row, ages, actives = (
            found[value],
            of_value["age_days"].astype(float),
            active[of_value.index].astype(float),
        )
        assert (row.tasks, row.deferred) == (
            len(of_value),
            int((of_value["status"] == "deferred").sum()),
        )
        assert (row.gross_median, row.active_median) == (ages.median(), actives.median())
        assert (row.gross_p90, row.active_p90) == (
            pytest.approx(ages.quantile(0.9)),
            pytest.approx(actives.quantile(0.9)),
        )
        assert row.oldest == of_value["since"].min()


@pytest.mark.parametrize("split", ["type", "staff", "facility"])
def test_how_tasks_end_are_reopened_and_return(
    worklist: Worklist, tasks: pd.DataFrame, stories: dict, split: str
) -> None:
    found = rows_of(outcomes.ends(worklist, Filters(), split))
    zones = worklist.facilities().set_index("facility_id")["time_zone"]
    following = {
        (task.rule_id, task.subject_id, task.occurrence - 1): task for task in tasks.itertuples()
    }
    want = defaultdict(Counter)
    for task in tasks.itertuples():
        story, count = stories[task.task_id], want[getattr(task, SPLIT_OF[split])]
        is_reopened = any(event.event == "reopened" for event in story)
        count["reopened"] += is_reopened
        count["open_again"] += is_reopened and task.is_open
        if not task.is_open:
            count["closed"] += 1
            count[[event.event for event in story if event.event in OUT][-1]] += 1
            after = following.get((task.rule_id, task.subject_id, task.occurrence))
            if after is not None:
                zone = ZoneInfo(zones[after.facility_id])
                days = (
                    stories[after.task_id][0].happened_at.astimezone(zone).date() - task.closed_on
                ).days
                count["returned"] += days <= 30
    names = ["closed", *CLOSE_KINDS, "reopened", "open_again", "returned"]
    want = {value: count for value, count in want.items() if count["closed"] or count["reopened"]}
    assert {value: [getattr(row, name) for name in names] for value, row in found.items()} == {
        value: [count[name] for name in names] for value, count in want.items()
    }
    assert sum(count["returned"] for count in want.values()) > 0
    assert sum(count["reopened"] for count in want.values()) > 0


def deferrals_of(story: list) -> list[tuple[str, int]]:
    """Who deferred a task, and for how many seconds until it returned, ended, or now."""
    steps = [event for event in story if event.event in OUT | {"deferred", "returned"}]
    found = []
    for place, event in enumerate(steps):
        if event.event == "deferred":
            ended = steps[place + 1].happened_at if place + 1 < len(steps) else AT
            found.append(
                (
                    event.staff_id,
                    int((min(event.deferred_until, ended, AT) - event.happened_at).total_seconds()),
                )
            )
    return found


@pytest.mark.parametrize("split", ["type", "staff", "person"])
def test_deferrals_are_those_of_the_events(
    worklist: Worklist, tasks: pd.DataFrame, stories: dict, split: str
) -> None:
    found = rows_of(outcomes.deferrals(worklist, Filters(), split))
    want = defaultdict(lambda: [0, 0, 0, 0, 0])
    for task in tasks.itertuples():
        of_task = deferrals_of(stories[task.task_id])
        groups = {person: [each for each in of_task if each[0] == person] for person, _ in of_task}
        for value, each in (
            groups.items() if split == "person" else [(getattr(task, SPLIT_OF[split]), of_task)]
        ):
            sums = (1, bool(each), len(each) > 1, len(each), sum(seconds for _, seconds in each))
            want[value] = [before + more for before, more in zip(want[value], sums, strict=True)]
    assert set(found) == set(want)
    for value, row in found.items():
        assert [
            row.tasks,
            row.deferred,
            row.deferred_again,
            row.deferrals,
            pytest.approx(row.days * 86_400),
        ] == want[value]
    assert sum(row.deferred_again for row in found.values()) > 0


def test_days_held_are_those_between_the_events(
    worklist: Worklist, tasks: pd.DataFrame, stories: dict
) -> None:
    found = rows_of(outcomes.held(worklist, Filters()))
    held = defaultdict(list)
    last_owner = {}
    for task_id, story in stories.items():
        seconds, record, assigned, is_on, since = Counter(), None, None, False, None
        for event in story:
            if is_on:
                seconds[assigned or record or "unassigned"] += int(
                    (event.happened_at - since).total_seconds()
                )
            given = event.to_staff_id if isinstance(event.to_staff_id, str) else None
            record = given if event.event in ("opened", "owner_changed") else record
            assigned = (
                given
                if event.event == "assigned"
                else None
                if event.event == "owner_changed"
                else assigned
            )
            is_on = event.event in ("opened", "reopened", "came_back") or (
                is_on and event.event not in OUT
            )
            since = event.happened_at
        last_owner[task_id] = assigned or record or "unassigned"
        if is_on:
            seconds[last_owner[task_id]] += int((AT - since).total_seconds())
        for owner, number in seconds.items():
            held[owner].append(number)
    assert last_owner == dict(zip(tasks["task_id"], tasks["staff_key"], strict=True))
    assert set(found) == set(held)
    for owner, row in found.items():
        days = pd.Series(held[owner]) / 86_400
        assert row.tasks == len(days)
        assert (row.days, row.median, row.p90) == (
            pytest.approx(days.sum()),
            pytest.approx(days.median()),
            pytest.approx(days.quantile(0.9)),
        )
    assert (
        sum(row.tasks - row.holding - row.closed for row in found.values()) > 0
    )  # some changed hands


def test_money_is_what_the_list_says_is_waiting(worklist: Worklist, tasks: pd.DataFrame) -> None:
    wanted = Filters(facility_ids=("001", "002"))
    found, chosen = (
        outcomes.money(worklist, wanted),
        tasks[tasks["is_open"] & tasks["facility_id"].isin(wanted.facility_ids)],
    )
    for row in found.itertuples():
        of_cell = chosen[(chosen["rule_id"] == row.rule_id) & (chosen["age_band"] == row.age_band)]
        assert (row.tasks, row.amount) == (
            len(of_cell),
            sum(of_cell["amount"].dropna(), Decimal(0)),
        )
    assert (
        found["amount"].sum()
        == worklist.summary(Filters("open", facility_ids=wanted.facility_ids))["amount"]
        > 0
    )


def test_littles_law_has_the_backlog_and_the_throughput_of_the_flow(worklist: Worklist) -> None:
    wanted = Filters(categories=("Clinical",))
    found, flow = (
        analytics_flow.flow(worklist, wanted, MONTH).littles,
        analytics_flow.flow(worklist, wanted, MONTH).steps,
    )
    assert found.average_open == pytest.approx(flow["open_at_end"].mean())
    assert found.went_out == flow["went_out"].sum()
    assert found.expected == pytest.approx(flow["open_at_end"].sum() / flow["went_out"].sum())


def test_what_happened_lists_exactly_the_tasks_that_are_counted(
    worklist: Worklist, practice_of_demo: settings.Settings
) -> None:
    ends, put_off = (
        outcomes.ends(worklist, Filters(), "type"),
        outcomes.deferrals(worklist, Filters(), "type"),
    )
    with LiveWorklist(practice_of_demo).at(AT) as shared:
        for asked in (worklist, shared):
            for row in ends.itertuples():
                of_type = {"rule_ids": (row.split,)}
                assert (
                    len(asked.tasks(Filters("all", **of_type, happened=("reopened",))))
                    == row.reopened
                )
                assert (
                    len(asked.tasks(Filters("closed", **of_type, happened=("returned",))))
                    == row.returned
                )
            for row in put_off.itertuples():
                assert (
                    len(asked.tasks(Filters("all", rule_ids=(row.split,), happened=("deferred",))))
                    == row.deferred
                )
                assert (
                    len(
                        asked.tasks(
                            Filters("all", rule_ids=(row.split,), happened=("deferred_again",)),
                            limit=1000,
                        )
                    )
                    == row.deferred_again
                )
    with pytest.raises(UserError, match="There is no happening vanished"):
        worklist.tasks(Filters(happened=("vanished",)))


@pytest.mark.parametrize(
    "measure", [outcomes.waits, outcomes.ends, outcomes.deferrals, outcomes.held, outcomes.money]
)
def test_the_list_in_memory_answers_the_same(
    worklist: Worklist, practice_of_demo: settings.Settings, measure
) -> None:
    with LiveWorklist(practice_of_demo).at(AT) as shared:
        for wanted in (
            Filters(),
            Filters(facility_ids=("001",), categories=("Clinical", "Billing")),
        ):
            pd.testing.assert_frame_equal(measure(shared, wanted), measure(worklist, wanted))


def test_the_values_with_most_tasks_are_worked_out_and_no_others(worklist: Worklist) -> None:
    every = survival.survivals(worklist, Filters(), "staff")
    assert [
        (found.split, found.median, found.cleared)
        for found in survival.survivals(worklist, Filters(), "staff", most=3)
    ] == [(found.split, found.median, found.cleared) for found in every[:3]]
