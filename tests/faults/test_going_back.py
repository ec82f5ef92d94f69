"""kill -9 of a first run and of `run --undo`: a whole list is there, or none, and runs go on."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable

import pytest

from pipelines.warehouse import snapshots
from tests.faults.conftest import Place
from tests.faults.test_runs import AFTER, BEFORE, RENAMES


@pytest.mark.parametrize("point", RENAMES)
def test_kill_9_of_a_first_run(place: Place, point: str, seen: Callable[..., None]) -> None:
    shutil.rmtree(place.settings.data)
    child = place.command(*place.next_run, at=(point, signal.SIGKILL))
    assert child.code == -signal.SIGKILL
    is_there = snapshots.current(place.settings.warehouse) is not None
    assert is_there == (point == "after the pointer gets its name")
    again = place.command(*place.next_run)
    assert again.code == 0, again.said
    assert len(place.tasks_and_states()) > 0
    state = "the first list, whole" if is_there else "no list yet"
    seen("kill -9 of a first run", point, "", "killed", f"{state}; the next run works")


@pytest.mark.parametrize("point", RENAMES)
def test_kill_9_while_a_run_is_undone(place: Place, point: str, seen: Callable[..., None]) -> None:
    assert place.command(*place.next_run).code == 0
    child = place.command("run", "--undo", at=(point, signal.SIGKILL))
    assert child.code == -signal.SIGKILL
    left = place.check()
    assert (left == AFTER) == (point == "before the pointer gets its name")
    if left == AFTER:
        assert place.command("run", "--undo").code == 0
        assert place.check() == BEFORE
    place.check_next_run()
    seen("kill -9 of run --undo", point, "", "killed", f"{left}; the next run works")
