"""People's actions on stored tasks, and the events that tell of them, on hand-made tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest

from pipelines import lifecycle
from pipelines.ledger.actions import Action
from pipelines.lifecycle.apply_actions import apply_actions
from tests.unit.lifecycle.conftest import AS_OF, Lifecycle

Applied = Callable[..., dict[str, object]]
LATER = AS_OF + dt.timedelta(days=3)
FIRST = AS_OF - dt.timedelta(hours=3)


@pytest.fixture
def applied(run: Lifecycle) -> Iterator[Applied]:
    """applied((action, values)…, **task): the task after the actions 5, 6, … of S1, an hour apart.

    The stored task is open; its last action was the 4th.
    """

    def ask(*acted: tuple[str, dict], state: str = "open", **task: object) -> dict[str, object]:
        run.task(state, **{"last_seq": 4} | task)
        actions = [
            Action(
                **{"seq": 5 + number, "task_id": "r-V1-1", "action": action, "staff_id": "S1"}
                | {"at": FIRST + dt.timedelta(hours=number)}
                | values
            )
            for number, (action, values) in enumerate(acted)
        ]
        apply_actions(run.con, "tasks_with_actions", actions, "after")
        found = run.con.execute("SELECT * FROM after")
        names = [column[0] for column in found.description or ()]
        (row,) = found.fetchall()
        return dict(zip(names, row, strict=True))

    yield ask


def closing(task: dict[str, object]) -> tuple:
    return tuple(task[name] for name in ("state", "close_kind", "closed_by", "closed_at"))


DONE = ("complete", {})
REOPENED = ("reopen", {})
OPEN = ("open", None, None, None)


class TestClosing:
    @pytest.mark.parametrize(
        ("values", "kind"), [({}, "completed"), ({"is_override": True}, "override")]
    )
    def test_a_completion_says_who_and_when(
        self, applied: Applied, values: dict, kind: str
    ) -> None:
        task = applied(("complete", values), deferred_until=LATER)
        assert closing(task) == ("completed", kind, "S1", FIRST)
        assert (task["deferred_until"], task["is_away"]) == (None, False)

    def test_it_wins_over_a_clearing_meanwhile(self, applied: Applied) -> None:
        task = applied(DONE, state="cleared", is_away=True)
        assert closing(task) == ("completed", "completed", "S1", FIRST)
        assert task["is_away"]

    def test_it_ends_the_deferral_of_a_record_that_is_gone(self, applied: Applied) -> None:
        gone = {"close_kind": "source_gone", "deferred_until": LATER}
        assert applied(DONE, state="cleared", **gone)["deferred_until"] is None

    def test_a_reopening_takes_it_back(self, applied: Applied) -> None:
        task = applied(REOPENED, state="completed", is_away=True)
        assert closing(task) == OPEN
        assert not task["is_away"]

    @pytest.mark.parametrize(
        ("state", "is_latest"), [("completed", False), ("cleared", True)], ids=["older", "cleared"]
    )
    def test_it_opens_the_latest_occurrence_that_a_person_closed(
        self, applied: Applied, state: str, is_latest: bool
    ) -> None:
        task = applied(REOPENED, state=state, is_latest=is_latest, is_away=True)
        at = AS_OF - dt.timedelta(hours=20)
        assert closing(task) == (state, state, "S1" if state == "completed" else "system", at)
        assert task["is_away"]

    @pytest.mark.parametrize(
        ("acted", "state"),
        [((REOPENED, DONE), "completed"), ((DONE, ("note", {})), "completed")],
    )
    def test_the_last_one_counts(self, applied: Applied, acted: tuple, state: str) -> None:
        task = applied(*acted, state="completed")
        assert (task["state"], task["last_seq"]) == (state, 6)

    def test_a_completion_of_the_same_run_may_be_taken_back(self, applied: Applied) -> None:
        assert closing(applied(DONE, REOPENED, state="completed")) == OPEN


class TestDeferring:
    @pytest.mark.parametrize(
        ("acted", "until"),
        [
            ([("defer", {"until": LATER})], LATER),
            ([("defer", {"until": LATER}), ("return", {})], None),
            ([("return", {}), ("defer", {"until": LATER})], LATER),
            ([("note", {}), ("assign", {"to_staff_id": "S2"})], AS_OF),
        ],
    )
    def test_the_last_one_counts(
        self, applied: Applied, acted: list, until: dt.datetime | None
    ) -> None:
        assert applied(*acted, deferred_until=AS_OF)["deferred_until"] == until

    def test_a_reopened_task_is_not_deferred(self, applied: Applied) -> None:
        task = applied(REOPENED, state="completed", deferred_until=LATER)
        assert task["deferred_until"] is None

    @pytest.mark.parametrize(("kind", "until"), [("source_gone", LATER), ("cleared", None)])
    def test_a_closed_task_keeps_one_only_if_its_record_may_come_back(
        self, applied: Applied, kind: str, until: dt.datetime | None
    ) -> None:
        task = applied(("note", {}), state="cleared", close_kind=kind, deferred_until=LATER)
        assert task["deferred_until"] == until


class TestAssigning:
    @pytest.mark.parametrize(
        ("acted", "staff"),
        [
            ([("assign", {"to_staff_id": "S2"}), ("assign", {"to_staff_id": "S3"})], "S3"),
            ([("assign", {"to_staff_id": None})], None),
            ([("note", {}), ("defer", {"until": LATER})], "S1"),
        ],
    )
    def test_the_last_one_counts(self, applied: Applied, acted: list, staff: str | None) -> None:
        assert applied(*acted, assigned_to_id="S1")["assigned_to_id"] == staff


def test_the_history_has_an_event_for_each_action(run: Lifecycle, applied: Applied) -> None:
    kinds = {
        "complete": "completed",
        "defer": "deferred",
        "return": "returned",
        "reopen": "reopened",
        "assign": "assigned",
        "note": "noted",
    }
    given = {"defer": {"until": LATER}, "assign": {"to_staff_id": "S2"}}
    applied(*((action, given.get(action, {})) for action in kinds))
    rows = run.con.execute(
        f"SELECT e.event_no, e.seq, e.event FROM ({lifecycle.sql('action_events')}) AS e",
        {"last_event_no": 10},
    ).fetchall()
    assert sorted(rows) == [(11 + n, 5 + n, event) for n, event in enumerate(kinds.values())]


def test_an_override_is_an_event_of_its_own(run: Lifecycle, applied: Applied) -> None:
    applied(("complete", {"is_override": True, "reason": "paid in cash"}))
    ((event, reason),) = run.con.execute(
        f"SELECT e.event, e.reason FROM ({lifecycle.sql('action_events')}) AS e",
        {"last_event_no": 10},
    ).fetchall()
    assert (event, reason) == ("override", "paid in cash")
