"""Outcomes of one task, in small exact cases."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from pipelines import settings
from pipelines.analytics import flow as analytics_flow
from pipelines.analytics import outcomes
from pipelines.analytics.period import Period
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist, open_worklist
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture
def owing(workbench: Workbench, practice: Practice) -> Workbench:
    """Ana owes for a visit of 30 October; seen on day 1, 2 November."""
    practice.patient("A").visit("V", "A", "2026-10-30T09:00:00", amount_due="40.00")
    practice.visit("N", "A", "2026-11-20T09:00:00", status="Scheduled")
    workbench.once(lambda: workbench.run(practice, 1))
    return workbench


def listed(workbench: Workbench, day: float) -> Worklist:
    return open_worklist(settings.load(), workbench.day(day))


def test_an_assigned_task_is_held_by_each_until_it_went_on(owing: Workbench) -> None:
    task = owing.one(1, "uncollected_payments", "V")
    owing.act("assign", task, 2, "--to", "S1")
    owing.act("assign", task, 4.5, "--to", "S2")
    owing.act("complete", task, 7)
    with listed(owing, 9) as worklist:
        found = outcomes.held(worklist, Filters())
    rows = {row.split: (row.tasks, row.holding, row.closed, row.days) for row in found.itertuples()}
    assert rows == {"unassigned": (1, 0, 0, 1.0), "S1": (1, 0, 0, 2.5), "S2": (1, 0, 1, 2.5)}


def test_a_closed_time_is_nobodys_and_a_reopened_task_goes_on(owing: Workbench) -> None:
    task = owing.one(1, "uncollected_payments", "V")
    owing.act("complete", task, 2)
    owing.act("reopen", task, 5, "--reason", "not paid after all")
    with listed(owing, 6) as worklist:
        (held,) = outcomes.held(worklist, Filters()).itertuples()
        (end,) = outcomes.ends(worklist, Filters()).itertuples()
    assert (held.tasks, held.holding, held.days) == (1, 1, 2.0)
    assert (end.closed, end.reopened, end.open_again) == (0, 1, 1)


def test_a_second_deferral_ends_the_first(owing: Workbench) -> None:
    task = owing.one(1, "uncollected_payments", "V")
    owing.act("defer", task, 2, "--for", "5d")
    owing.act("defer", task, 3, "--for", "5d", staff="S2")
    with listed(owing, 5) as worklist:
        (of_type,) = outcomes.deferrals(worklist, Filters()).itertuples()
        people = {
            row.split: (row.deferrals, row.deferred_again, row.days)
            for row in outcomes.deferrals(worklist, Filters(), "person").itertuples()
        }
        (wait,) = outcomes.waits(worklist, Filters()).itertuples()
    assert (
        of_type.tasks,
        of_type.deferred,
        of_type.deferred_again,
        of_type.deferrals,
        of_type.days,
    ) == (1, 1, 1, 2, 3.0)
    assert people == {"S1": (1, 0, 1.0), "S2": (1, 0, 2.0)}
    assert (wait.gross_median, wait.active_median, wait.deferred) == (7, 4, 1)


@pytest.mark.parametrize(
    ("back_on", "returned"), [(32, 1), (33, 0)], ids=["30-days-after", "31-days-after"]
)
def test_a_task_returned_when_its_subject_came_back_within_thirty_days(
    workbench: Workbench, practice: Practice, back_on: int, returned: int
) -> None:
    practice.patient("A").visit("V", "A", "2026-10-30T09:00:00", amount_due="40.00").visit(
        "N", "A", "2026-12-30T09:00:00", status="Scheduled"
    )
    workbench.run(practice, 1)
    practice.payment("P", "A", "2026-10-30", "40.00")
    workbench.run(practice, 2)
    practice.remove("payments", "P")
    workbench.run(practice, back_on)
    with listed(workbench, back_on) as worklist:
        (end,) = (
            row
            for row in outcomes.ends(worklist, Filters()).itertuples()
            if row.split == "uncollected_payments"
        )
        assert (
            len(worklist.tasks(Filters("closed", rule_ids=(end.split,), happened=("returned",))))
            == returned
        )
    assert (end.closed, end.cleared, end.returned) == (1, 1, returned)


def test_littles_law_of_one_task(owing: Workbench) -> None:
    task = owing.one(1, "uncollected_payments", "V")
    owing.act("complete", task, 5)
    with listed(owing, 12) as worklist:
        found = analytics_flow.flow(
            worklist, Filters(), Period(dt.date(2026, 11, 1), dt.date(2026, 11, 10))
        ).littles
        none = analytics_flow.flow(
            worklist, Filters(), Period(dt.date(2026, 10, 1), dt.date(2026, 10, 10))
        ).littles
    # Open in the evenings of 2 to 5 November.
    assert (found.average_open, found.went_out, found.stayed) == (0.4, 1, 4.0)
    assert math.isclose(found.expected, 4.0)
    assert (none.average_open, none.went_out, none.expected, none.stayed) == (0, 0, None, None)
