"""Which task a task becomes: the target's open one, the one that came back, or the next."""

from __future__ import annotations

import hashlib

import pytest

from tests.unit.lifecycle.conftest import Lifecycle


@pytest.fixture
def chain(run: Lifecycle) -> Lifecycle:
    """Rule `r` converts to `next`; its task is open and `next` asks."""
    run.rule("next").candidate(rule_id="next")
    return run.converts("r", "next").task()


def target(run: Lifecycle) -> tuple[str, str | None]:
    """The decision about `r`'s task, and the task that it becomes."""
    run.decide()
    (found,) = run.con.execute(
        "SELECT d.decision, d.converts_to_task_id FROM decisions AS d WHERE d.rule_id = 'r'"
    ).fetchall()
    return found


def task_id(occurrence: int) -> str:
    return hashlib.md5(f"next|V1|{occurrence}".encode(), usedforsecurity=False).hexdigest()[:16]


@pytest.mark.parametrize(
    ("task", "occurrence"),
    [
        (None, 1),
        ({"state": "open"}, 1),
        ({"state": "cleared", "close_kind": "source_gone"}, 1),
        ({"state": "cleared", "is_away": True}, 2),
    ],
)
def test_it_becomes_the_targets_task_that_is_open_afterwards(
    chain: Lifecycle, task: dict | None, occurrence: int
) -> None:
    if task is not None:
        chain.task(rule_id="next", **task)
    assert target(chain) == ("converted", task_id(occurrence))


def test_what_is_still_asked_for_becomes_nothing_else(chain: Lifecycle) -> None:
    assert target(chain.candidate()) == ("refresh", None)


def test_what_is_closed_becomes_nothing(run: Lifecycle) -> None:
    run.rule("next").candidate(rule_id="next").converts("r", "next").task("completed")
    assert target(run) == ("away", None)


def test_a_target_that_is_held_is_waited_for(chain: Lifecycle) -> None:
    chain.reads("claims", rule_id="next").refused("claims", "cases", "C-A")
    assert target(chain)[0] == "hold"


def test_two_targets_without_an_answer_are_waited_for_once(run: Lifecycle) -> None:
    run.rule("a", is_answered=False).rule("b", is_answered=False)
    assert target(run.converts("r", "a", "b").task()) == ("hold", None)


def test_a_rule_without_an_answer_that_is_no_target_is_not_waited_for(run: Lifecycle) -> None:
    run.rule("next").rule("other", is_answered=False).converts("r", "next").task()
    assert target(run) == ("withdrawn", None)
