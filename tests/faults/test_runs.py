"""After any fault of a run a whole list is shown, no action is lost, and the next run works."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable

import pytest

from tests.conftest import Workbench
from tests.faults.children import COUNT, FAILED
from tests.faults.conftest import LATER, Place, snapshot_of

BEFORE, AFTER = "the list before, whole", "the new list, whole"
STAGES = ("reading and staging", "asking the rules", "bringing tasks up to date", "publishing")
RENAMES = tuple(
    f"{when} the {what} gets its name"
    for what in ("snapshot", "pointer")
    for when in ("before", "after")
)


@pytest.mark.parametrize("point", [*STAGES, *RENAMES])
def test_kill_9(place: Place, point: str, seen: Callable[..., None]) -> None:
    child = place.command(*place.next_run, at=(point, signal.SIGKILL))
    assert child.code == -signal.SIGKILL
    left = place.check()
    assert (left == AFTER) == (point == "after the pointer gets its name")
    place.check_next_run()
    seen(
        "kill -9 of a run",
        point if point in RENAMES else f"at the stage “{point}”",
        "",
        "killed",
        f"{left}; the next run works",
    )


def test_two_runs_at_once(place: Place, seen: Callable[..., None]) -> None:
    first = place.start(*place.next_run, at=("asking the rules", signal.SIGSTOP))
    first.wait_until_stopped()
    second = place.command(*place.next_run)
    assert second.code == 2
    assert "another run is going on; this one did nothing" in second.said
    assert place.check() == BEFORE
    os.kill(first.pid, signal.SIGCONT)
    assert first.end().code == 0
    left = place.check()
    assert left == AFTER
    seen(
        "two runs at once",
        "a run begun while another is at its rules",
        second.said,
        second.code,
        f"{left}, of the first run",
    )


@pytest.mark.parametrize("cut_to", [0, 0.5, 0.99])
def test_a_truncated_snapshot(place: Place, cut_to: float, seen: Callable[..., None]) -> None:
    older = snapshot_of(place)
    assert place.command(*place.next_run).code == 0
    newest, states_after = snapshot_of(place), place.tasks_and_states()
    size = newest.stat().st_size
    os.truncate(newest, cut_to if isinstance(cut_to, int) else int(size * cut_to))
    task_id = place.actions[1].task_id
    later = Workbench.day(4).isoformat()
    for command in (
        ("tasks", "--at", later),
        ("act", "complete", task_id, "--staff", "S1", "--at", later),
    ):
        child = place.command(*command)
        assert child.code == 2, child.said
        assert f"{newest}: the snapshot cannot be read" in child.said
        assert older.name in child.said, "how to go on"
    # A run that does not need the lost part makes a whole list; DuckDB's checksums catch the rest.
    again = place.command(
        "run", "--extracts", str(place.next_extract), "--as-of", Workbench.day(2.5).isoformat()
    )
    assert again.code == 0 or f"{newest}: the snapshot cannot be read" in again.said, again.said
    if again.code == 0:
        assert place.tasks_and_states() == states_after
        snapshot_of(place).unlink()
    next_run = (
        "the next run did not need what is lost and heals it"
        if again.code == 0
        else "the next run is refused with the same words"
    )
    assert place.recorded() == place.actions
    # As the message says: back to the one before, and run again.
    (place.settings.warehouse / "CURRENT").write_text(older.name + "\n", encoding="utf-8")
    assert place.check() == BEFORE
    place.check_next_run()
    kept = f"{cut_to} bytes" if isinstance(cut_to, int) else f"{cut_to:.0%}"
    seen(
        "truncated snapshot",
        f"the live file cut to {kept}",
        child.said,
        child.code,
        f"no list is shown; {next_run}; "
        "with the one before in CURRENT a run makes the new list, whole",
    )


POINTERS = {
    "empty": b"",
    "no text": b"\xff\xfe\x00\x81",
    "another file": b"../ledger.sqlite\n",
    "a snapshot that is not there": b"000009-20270101T000000Z.duckdb\n",
    "cut short": b"000001-2026",
}


@pytest.mark.parametrize("content", [*POINTERS, "a folder"])
def test_a_corrupted_pointer(place: Place, content: str, seen: Callable[..., None]) -> None:
    pointer = place.settings.warehouse / "CURRENT"
    whole = pointer.read_bytes()
    pointer.unlink()
    if content == "a folder":
        pointer.mkdir()
    else:
        pointer.write_bytes(POINTERS[content])
    for command in (
        ("tasks",),
        place.next_run,
        ("act", "complete", place.actions[1].task_id, "--staff", "S1"),
    ):
        child = place.command(*command)
        assert child.code == 2, child.said
        assert str(pointer) in child.said
        assert f"Snapshots here: {whole.decode().strip()}. Write" in child.said, "how to go on"
    assert place.recorded() == place.actions
    if content == "a folder":
        pointer.rmdir()
    pointer.write_bytes(whole)
    assert place.check() == BEFORE
    seen(
        "corrupted pointer",
        f"CURRENT holds: {content}",
        child.said,
        child.code,
        "no list; with its name in CURRENT the list before, whole",
    )


def test_a_clock_set_back(place: Place, seen: Callable[..., None]) -> None:
    assert place.command(*place.next_run).code == 0
    child = place.command(*place.next_run[:-1], Workbench.day(1.9).isoformat())
    assert child.code == 2
    assert "would go back in time" in child.said
    assert place.check() == AFTER
    seen(
        "clock set back",
        "a run for a moment before the published one",
        child.said,
        child.code,
        AFTER,
    )
    task_id = place.open_tasks()[0]
    before = place.command(
        "act",
        "note",
        task_id,
        "--staff",
        "S1",
        "--reason",
        "Called",
        "--at",
        Workbench.day(1.9).isoformat(),
    )
    assert before.code == 0, before.said
    assert [
        (action.task_id, action.action) for action in place.recorded()[len(place.actions) :]
    ] == [(task_id, "note")]
    seen(
        "clock set back",
        "an action dated before the published list",
        before.said,
        before.code,
        "the note is in the ledger",
    )
    # After the clock goes back an hour, a second person cannot complete the same task again.
    done = place.command(
        "act",
        "complete",
        task_id,
        "--staff",
        "S2",
        "--reason",
        "Signed",
        "--at",
        Workbench.day(2.5).isoformat(),
    )
    assert done.code == 0, done.said
    again = place.command(
        "act",
        "complete",
        task_id,
        "--staff",
        "S1",
        "--reason",
        "Signed",
        "--at",
        Workbench.day(2.46).isoformat(),
    )
    assert again.code == 1
    assert "completed by" in again.said
    assert [action.action for action in place.recorded()[len(place.actions) :]] == [
        "note",
        "complete",
    ]
    assert task_id not in place.open_tasks()
    assert place.command(*place.next_run[:-1], LATER.isoformat()).code == 0
    assert task_id not in place.open_tasks(), "also after a run"
    seen(
        "clock set back",
        "completed again an hour “before” it was completed",
        again.said,
        again.code,
        "completed once; also after the next run",
    )


# The disk

FSYNCS_APART = int(
    os.environ.get("FSYNCS_APART", "12")
)  # 1 fails each of them, which takes half a minute
LAST_FSYNCS = (
    7  # each of these is tried: of the snapshot's last writing, of the pointer, of the folder
)


def test_an_fsync_error(place: Place, disks_can_fail: bool, seen: Callable[..., None]) -> None:
    if not disks_can_fail:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            "no C compiler here to make an fsync fail"
        )
    copy = place.settings.data.parent / "kept"
    shutil.copytree(place.settings.data, copy)
    counted = place.command(*place.next_run, FSYNC_FAILS_AT=COUNT)
    calls = int(counted.said.rpartition("fsyncs: ")[2])
    assert counted.code == 0
    assert calls > LAST_FSYNCS
    endings = {}
    for number in sorted(
        {*range(1, calls, FSYNCS_APART), *range(calls - LAST_FSYNCS + 1, calls + 1)}
    ):
        shutil.rmtree(place.settings.data)
        shutil.copytree(copy, place.settings.data)
        child = place.command(*place.next_run, FSYNC_FAILS_AT=str(number))
        assert FAILED in child.said
        assert child.code == 2, child.said
        assert "fsync failed. The" in child.said or "Input/output error" in child.said
        left = place.check()
        assert (
            "previous list stays live" in child.said,
            "this list is live now" in child.said,
        ) == (left == BEFORE, left == AFTER), child.said
        endings.setdefault((child.said.splitlines()[-1], left), []).append(number)
    assert [left for _, left in endings].count(AFTER) == 1, (
        "only the folder's, after the pointer has its name"
    )
    place.check_next_run()
    for (said, left), numbers in endings.items():
        seen(
            "an fsync error",
            f"EIO from fsync {', '.join(map(str, numbers))} of {calls} of a run",
            said,
            2,
            f"{left}; the next run works",
        )


def test_an_fsync_error_of_the_ledger(
    place: Place, disks_can_fail: bool, seen: Callable[..., None]
) -> None:
    if not disks_can_fail:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            "no C compiler here to make an fsync fail"
        )
    task_id = place.actions[1].task_id
    counted = place.act("note", task_id, "--reason", "Counted", FSYNC_FAILS_AT=COUNT)
    calls = int(counted.said.rpartition("fsyncs: ")[2])
    acknowledged = place.recorded()
    for number in range(1, calls + 1):
        child = place.act("note", task_id, "--reason", f"Note {number}", FSYNC_FAILS_AT=str(number))
        assert FAILED in child.said
        fresh = place.recorded()
        assert fresh[: len(acknowledged)] == acknowledged, "what was acknowledged is there"
        fresh = fresh[len(acknowledged) :]
        assert len(fresh) == 1 if child.code == 0 else len(fresh) <= 1
        assert child.code == 0 or "cannot be used: disk I/O error" in child.said, child.said
        acknowledged += fresh
        left = "written once" if fresh else "not written"
        seen(
            "an fsync error",
            f"EIO from fsync {number} of {calls} of a note",
            child.said,
            child.code,
            f"{left}; all before are there",
        )
