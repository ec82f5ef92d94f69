"""A full, nearly full or read-only disk: what can be read is read, and the message says why."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Workbench
from tests.faults.conftest import Place, used_kb

BEFORE = "the list before, whole"
FULL = "full file system"


@pytest.mark.parametrize("free_kb", [0, 1024, 3072])
def test_a_run_on_a_full_file_system(
    place: Place, small_disk: Callable[[str], None], free_kb: int, seen: Callable[..., None]
) -> None:
    small_disk(f"{used_kb(place) + free_kb}k")
    child = place.command(*place.next_run)
    assert child.code == 2, child.said
    assert "No space left on device. The previous list stays live." in child.said, child.said
    small_disk("64m")
    left = place.check()
    assert left == BEFORE
    place.check_next_run()
    seen(
        FULL,
        f"a run with {free_kb} KB left",
        child.said,
        child.code,
        f"{left}; with room again the next run works",
    )


def test_an_action_on_a_full_file_system(
    place: Place, small_disk: Callable[[str], None], seen: Callable[..., None]
) -> None:
    small_disk(f"{used_kb(place)}k")
    task_id = place.actions[1].task_id
    child = place.act("note", task_id, "--reason", "long " * 20_000)
    assert child.code != 0, child.said
    assert "full" in child.said, child.said
    small_disk("64m")
    assert place.recorded() == place.actions
    assert place.check() == BEFORE
    assert place.act("note", task_id, "--reason", "short").code == 0
    seen(
        FULL,
        "a long note with nothing left",
        child.said,
        child.code,
        "that note is not there, all before are; with room again a note is written",
    )


@pytest.mark.parametrize("free_kb", [60, 600])
def test_what_a_nearly_full_disk_cannot_hold_is_refused_with_the_reason(
    place: Place, small_disk: Callable[[str], None], free_kb: int, seen: Callable[..., None]
) -> None:
    small_disk(f"{used_kb(place) + free_kb}k")
    task_id = place.actions[1].task_id
    note = place.act("note", task_id, "--reason", "long " * 150_000)
    run = place.command(*place.next_run)
    health = place.command("health", "--max-age", "9999999")
    small_disk("64m")
    assert note.code != 0 and "full" in note.said, note.said
    assert run.code == 2 and ("full" in run.said or "No space left" in run.said), run.said
    assert health.code == 2 and "free in" in health.said
    assert place.recorded() == place.actions
    assert place.check() == BEFORE
    place.check_next_run()
    for done, child in (("a long note", note), ("a run", run)):
        seen(FULL, f"{done} with {free_kb} KB left", child.said, child.code, BEFORE)


@pytest.fixture
def read_only(place: Place, small_disk: Callable[[str], None], tmp_path: Path) -> Iterator[None]:
    """The data folder's disk can only be read."""
    disk = str(tmp_path / "disk")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)


@pytest.mark.usefixtures("read_only")
def test_a_read_only_disk_can_be_read_and_backed_up(
    place: Place, tmp_path: Path, seen: Callable[..., None]
) -> None:
    at = ("--at", Workbench.day(1.5).isoformat())
    tasks = place.command("tasks", *at, "--status", "all", "--format", "json")
    assert tasks.code == 0 and place.actions[0].task_id in tasks.said, tasks.said
    history = place.command("history", "--patient", "A0", *at)
    assert history.code == 0 and "opened" in history.said, history.said
    backup = place.command("backup", "--out", str(tmp_path / "kept"))
    assert backup.code == 0 and "3 actions" in backup.said, backup.said
    for line in (place.next_run, ("run", "--undo")):
        refused = place.command(*line)
        assert refused.code == 2 and "Read-only file system" in refused.said, refused.said
    note = place.act("note", place.actions[1].task_id, "--reason", "called")
    assert note.code == 2 and "its disk is read-only" in note.said, note.said
    health = place.command("health")
    assert health.code == 2 and "cannot be written to" in health.said
    seen(
        "read-only file system",
        "tasks, history, backup; then a note",
        note.said,
        note.code,
        "tasks, history and backup work as usual",
    )
