"""Compare the answers of a kept list with those of a list made for one read."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import pandas as pd

from pipelines.worklist import actions
from pipelines.worklist.actions import ActionRequest
from pipelines.worklist.at import State
from pipelines.worklist.filters import Filters
from pipelines.worklist.live import LiveWorklist
from pipelines.worklist.worklist import Worklist, open_worklist
from tests.published import START

DAY = dt.timedelta(days=1)
ALL = Filters("all")
FILTERS = (
    Filters(),
    Filters("deferred"),
    Filters("overdue"),
    Filters("closed"),
    Filters("open", facility_ids=("001", "002"), categories=("Billing", "Clinical")),
    Filters("open", payer_ids=("self-pay", "0004"), age_bands=("0-1", "2-3", "31-")),
    Filters("all", staff_ids=("unassigned",), rule_ids=("uncollected_payments", "draft_documents")),
    Filters("all", open_on=START.date()),
    Filters("all", in_from=START.date() + DAY, in_to=START.date() + 4 * DAY),
    Filters(
        "closed",
        out_from=START.date(),
        out_to=START.date() + 2 * DAY,
        close_kinds=("completed", "override"),
    ),
)


QUESTIONS: tuple[Callable[[Worklist, Filters], object], ...] = (
    Worklist.tasks,
    lambda asked, wanted: pd.Series(asked.summary(wanted), dtype="object"),
    Worklist.counts,
    Worklist.options,
    lambda asked, wanted: asked.first_tasks(wanted, 2),
)


def assert_same(shown: object, true: object) -> None:
    """Both answers of a worklist say the same, to every column and type."""
    if isinstance(true, pd.DataFrame):
        pd.testing.assert_frame_equal(shown, true)
    elif isinstance(true, pd.Series):
        pd.testing.assert_series_equal(shown, true, check_names=False)
    else:
        assert shown == true


def assert_true(
    shared: LiveWorklist,
    at: dt.datetime,
    filters: tuple[Filters, ...] = FILTERS,
    task_id: str | None = None,
) -> None:
    """Every question gets the answer of a list made for this one look."""
    assert_all_true([shared], at, list(itertools.product(QUESTIONS, filters)), task_id)


def assert_all_true(
    servers: Sequence[LiveWorklist],
    at: dt.datetime,
    asked: Sequence[tuple[Callable, Filters]],
    task_id: str | None = None,
) -> tuple[pd.DataFrame, list[State]]:
    """Compare some questions, all tasks, and one task's history; the tasks and servers' states."""
    with open_worklist(servers[0].settings, at) as true:
        every = true.tasks(ALL)
        answers = [question(true, wanted) for question, wanted in asked]
        found = every[every["task_id"] == task_id]
        story = [true.history(patient_id) for patient_id in found["patient_id"]]
        movements = true.movements(START)
    states = []
    for server in servers:
        with server.at(at) as shown:
            assert shown.at == at
            assert_same(shown.tasks(ALL), every)
            assert_same(
                shown.tasks(Filters("open")), every[every["is_open"]].reset_index(drop=True)
            )
            for (question, wanted), answer in zip(asked, answers, strict=True):
                assert_same(question(shown, wanted), answer)
            for (_, task), history in zip(found.iterrows(), story, strict=True):
                assert_same(shown.task(task["task_id"]), task)
                assert_same(shown.history(task["patient_id"]), history)
            assert_same(shown.movements(START), movements)
            states.append(shown.state)
    return every, states


def open_ids(shared: LiveWorklist, at: dt.datetime) -> list[str]:
    """The open tasks; first those that anybody completes without a reason."""
    with shared.at(at) as listed:
        tasks = listed.tasks()
    is_override = tasks["manual"] == "override"
    return [*tasks.loc[~is_override, "task_id"], *tasks.loc[is_override, "task_id"]]


def do(
    shared: LiveWorklist, at: dt.datetime, wish: ActionRequest, staff_id: str = ""
) -> actions.Recorded:
    with shared.at(at) as listed:
        return actions.act(listed, shared.ledger, staff_id or first_staff(listed)[0], wish)


def first_staff(listed: Worklist) -> list[str]:
    staff = listed.staff()
    return staff.loc[staff["is_active"], "staff_id"].tolist()[:4]


def following_midnight(at: dt.datetime, zone: str) -> dt.datetime:
    local = at.astimezone(ZoneInfo(zone))
    return dt.datetime.combine(local.date() + DAY, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)
