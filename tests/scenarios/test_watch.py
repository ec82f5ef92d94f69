"""When the watch runs: complete folders in order and once, incomplete ones after a wait."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipelines import settings as settings_module
from pipelines.operations.watch import DueRun, Habits, Watch
from pipelines.runs import run as run_module
from pipelines.settings import ROOT
from tests.conftest import Workbench
from tests.practice import Practice

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


class Place:
    """A folder of extracts that is watched; `look` looks once and makes the run that is due."""

    def __init__(self, workbench: Workbench, practice: Practice) -> None:
        self.practice, self.root = practice, workbench.extracts
        self.settings = settings_module.load()
        self.start()

    def start(self, **habits: object) -> None:
        """Start the watch, as after a restart of the machine."""
        self.watch = Watch(self.settings, self.root, Habits(**habits))

    def come(self, name: str, taken: dt.datetime | None = None, **how: object) -> Path:
        """Write a folder of extracts at once; without a name, the watched folder itself."""
        return self.practice.write(self.root / name, taken, **how)

    def look(self, now: dt.datetime, exit_code: int = 0) -> DueRun | None:
        job = self.watch.due(now)
        if job is not None:
            if exit_code == 0:
                run_module.run(self.settings, job.folder, job.as_of)
            self.watch.done(job, exit_code, now)
        return job

    def runs(self, now: dt.datetime) -> list[tuple[str, dt.datetime]]:
        """(folder name, as_of) of the runs until none is due; a folder must first be quiet."""
        jobs = [self.look(now)]
        while job := self.look(now + MINUTE):
            jobs.append(job)
        return [(job.folder.name, job.as_of) for job in jobs if job]


@pytest.fixture
def place(workbench: Workbench, practice: Practice, caplog: pytest.LogCaptureFixture) -> Place:
    caplog.set_level("INFO", "workbench")
    workbench.extracts.mkdir()
    return Place(workbench, practice)


def test_a_folder_is_run_once_when_it_has_been_quiet(place: Place) -> None:
    folder = place.come("2026-11-20", NOON)
    assert place.look(NOON) is None
    assert place.look(NOON + MINUTE / 2) is None
    (folder / "faxes.csv").write_text((folder / "faxes.csv").read_text() + "\n")
    assert place.look(NOON + MINUTE) is None, "it changed meanwhile"
    assert place.look(NOON + 2 * MINUTE) == DueRun(folder, NOON + 2 * MINUTE, "it came")
    assert place.look(NOON + 9 * HOUR) is None


def test_the_first_time_only_the_newest_is_run(place: Place) -> None:
    for day in (18, 19, 20):
        place.come(f"2026-11-{day}", NOON)
    assert place.runs(NOON) == [("2026-11-20", NOON + MINUTE)]


def test_folders_that_arrived_meanwhile_run_in_order_each_as_of_its_extraction(
    place: Place,
) -> None:
    place.come("2026-11-17", NOON - 72 * HOUR)
    assert place.runs(NOON - 72 * HOUR)
    for hours in (48, 24, 0):
        taken = NOON - hours * HOUR
        place.come(f"{taken:%Y%m%d}", taken)
    assert place.runs(NOON + HOUR) == [
        ("20261118", NOON - 48 * HOUR),
        ("20261119", NOON - 24 * HOUR),
        ("20261120", NOON + HOUR + MINUTE),
    ]


def test_a_folder_extracted_before_the_list_runs_for_the_lists_moment(place: Place) -> None:
    place.come("2026-11-18", NOON - 48 * HOUR)
    place.runs(NOON)
    place.come("2026-11-19", NOON - 24 * HOUR)
    place.come("2026-11-20", NOON)
    assert place.runs(NOON + HOUR) == [
        ("2026-11-19", NOON + MINUTE),
        ("2026-11-20", NOON + HOUR + MINUTE),
    ]


def test_a_restart_runs_the_last_folder_once_more_and_continues(place: Place) -> None:
    place.come("2026-11-19", NOON - 24 * HOUR)
    place.runs(NOON)
    place.come("2026-11-20", NOON)
    place.start()
    assert [name for name, _ in place.runs(NOON + HOUR)] == ["2026-11-19", "2026-11-20"]
    place.start()
    assert [name for name, _ in place.runs(NOON + 2 * HOUR)] == ["2026-11-20"]


def test_a_folder_whose_files_are_replaced_is_run_each_time(place: Place) -> None:
    place.come("", NOON)
    assert len(place.runs(NOON)) == 1
    assert place.runs(NOON + HOUR) == []
    place.practice.patient("P1")
    place.come("", NOON + HOUR)
    assert len(place.runs(NOON + HOUR)) == 1


@pytest.mark.parametrize(
    "name", ["appointments.csv.part", ".appointments.csv.Xy12", "faxes.csv.tmp"]
)
def test_a_copy_in_progress_is_waited_for(place: Place, name: str) -> None:
    folder = place.come("2026-11-20", NOON)
    (folder / name).write_text("half")
    assert place.runs(NOON) == []
    (folder / name).unlink()
    assert place.runs(NOON + HOUR)


def test_a_folder_missing_a_table_of_its_manifest_runs_after_a_wait(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.come("2026-11-20", NOON, without=("faxes",))
    assert place.runs(NOON) == []
    assert "faxes is in the manifest and not in the folder; waiting for it" in caplog.text
    assert len(caplog.messages) == 1, "said once"
    assert place.look(NOON + 2 * HOUR)
    assert "it is run as it is" in caplog.text


def test_a_manifest_that_says_incomplete_is_waited_for(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    folder = place.come("2026-11-20", NOON)
    manifest = folder / "manifest.csv"
    whole = manifest.read_text()
    manifest.write_text(whole.replace("0,true,", "0,false,", 1))
    assert place.runs(NOON) == []
    assert "is not complete; waiting for it" in caplog.text
    manifest.write_text(whole)
    assert place.runs(NOON + MINUTE)


def test_without_a_manifest_the_tables_of_the_last_run_are_waited_for(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.come("2026-11-19")
    place.runs(NOON - 24 * HOUR)
    folder = place.come("2026-11-20", without=("claims", "faxes"))
    assert place.runs(NOON) == []
    assert "claims, faxes are not there, which the run before had; waiting for it" in caplog.text
    place.come("2026-11-20")
    assert place.runs(NOON + MINUTE) == [(folder.name, NOON + 2 * MINUTE)]


def test_an_incomplete_folder_is_skipped_when_a_later_one_is_complete(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.come("2026-11-18", NOON - 48 * HOUR)
    place.runs(NOON - 48 * HOUR)
    place.come("2026-11-19", NOON - 24 * HOUR, without=("faxes",))
    place.come("2026-11-20", NOON)
    assert [name for name, _ in place.runs(NOON)] == ["2026-11-20"]
    assert "2026-11-19: skipped, because a later one has arrived" in caplog.text


def test_a_run_that_failed_is_tried_again_later_or_when_the_folder_changed(place: Place) -> None:
    folder = place.come("2026-11-20", NOON)
    place.look(NOON)
    assert place.look(NOON + MINUTE, exit_code=2)
    assert place.look(NOON + 2 * MINUTE) is None
    assert place.look(NOON + 11 * MINUTE, exit_code=2)
    (folder / "faxes.csv").touch()
    assert place.look(NOON + 12 * MINUTE) is None
    assert place.look(NOON + 13 * MINUTE), "mended, and quiet again"


def test_a_time_of_day_runs_the_last_folder_once_more(place: Place) -> None:
    place.start(daily=(dt.time(6), dt.time(13, 30)))
    folder = place.come("2026-11-20", NOON)
    assert len(place.runs(NOON)) == 1
    half_past = NOON.replace(hour=13, minute=30)
    assert place.look(half_past - MINUTE) is None
    assert place.look(half_past + MINUTE) == DueRun(folder, half_past + MINUTE, "the run of 13:30")
    assert place.look(half_past + 2 * MINUTE) is None
    assert place.look(NOON.replace(day=21, hour=6)) == DueRun(
        folder, NOON.replace(day=21, hour=6), "the run of 06:00"
    )


def test_a_missing_share_is_logged_and_waited_for(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.root.rmdir()
    assert place.runs(NOON) == []
    assert caplog.messages == [f"{place.root}: {place.root}: no such folder"]
    place.root.mkdir()
    place.come("2026-11-20", NOON)
    assert place.runs(NOON + HOUR)


def test_a_list_that_was_removed_or_restored_is_made_again(place: Place) -> None:
    place.come("", NOON)
    assert len(place.runs(NOON)) == 1
    (earlier,) = place.settings.warehouse.glob("*.duckdb")
    place.come("", NOON + HOUR)
    assert len(place.runs(NOON + HOUR)) == 1
    pointer = place.settings.warehouse / "CURRENT"
    pointer.write_text(earlier.name)
    assert len(place.runs(NOON + 2 * HOUR)) == 1
    shutil.rmtree(place.settings.warehouse)
    assert len(place.runs(NOON + 3 * HOUR)) == 1
    assert place.runs(NOON + 4 * HOUR) == []


def test_a_link_back_to_an_earlier_folder_is_run_again(place: Place) -> None:
    for day in (19, 20):
        place.come(f"2026-11-{day}", None)
    current = place.root / "current"
    place.root = current
    for hour, day in enumerate((19, 20, 19)):
        current.unlink(missing_ok=True)
        current.symlink_to(f"2026-11-{day}")
        if hour == 0:
            place.start()
        assert [name for name, _ in place.runs(NOON + hour * HOUR)] == [f"2026-11-{day}"]


def test_a_clock_set_back_delays_a_run_by_the_quiet_time_at_most(
    place: Place,
) -> None:
    place.come("2026-11-20", NOON)
    place.look(NOON)
    assert place.look(NOON + MINUTE, exit_code=2)
    earlier = NOON - 9 * HOUR
    assert place.look(earlier) is None
    assert place.look(earlier + MINUTE)


def test_a_folder_that_keeps_changing_is_logged(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.start(quiet=10 * MINUTE)
    folder = place.come("2026-11-20", NOON)

    def change(minute: int) -> None:
        os.utime(folder / "faxes.csv", (minute, minute))
        assert place.look(NOON + minute * MINUTE) is None

    for minute in range(0, 120, 9):
        change(minute)
    assert caplog.messages == []
    for minute in range(126, 160, 9):
        change(minute)
    assert caplog.messages == [
        f"{folder}: it has been changing since 12:00; still waiting for it to be quiet"
    ]
    assert place.look(NOON + 163 * MINUTE)


def test_an_empty_folder_is_logged_and_not_run(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.come("2026-11-19", NOON)
    place.runs(NOON)
    (place.root / "2026-11-20").mkdir()
    place.look(NOON)
    assert place.look(NOON + MINUTE) is None
    assert place.look(NOON + 9 * HOUR) is None
    assert [message.rpartition("; ")[2] for message in caplog.messages] == [
        "waiting for it",
        "still waiting for it",
    ]


def test_a_missed_time_of_day_is_run_after_midnight(
    place: Place,
) -> None:
    place.start(daily=(dt.time(23, 59),))
    folder = place.come("2026-11-20", NOON)
    place.runs(NOON)
    after_midnight = NOON.replace(day=21, hour=0, minute=3)
    assert place.look(after_midnight) == DueRun(folder, after_midnight, "the run of 23:59")
    assert place.look(after_midnight + HOUR) is None


def test_a_time_of_day_runs_a_folder_that_was_run_from_elsewhere(
    place: Place, tmp_path: Path
) -> None:
    place.start(daily=(dt.time(13),))
    place.come("2026-11-20", NOON)
    place.runs(NOON)
    mended = place.practice.write(tmp_path / "mended", NOON)
    run_module.run(place.settings, mended, NOON + MINUTE)
    assert place.runs(NOON + HOUR) == [("mended", NOON + HOUR + MINUTE)]


@pytest.mark.parametrize("back", [True, False], ids=["summer time ends", "summer time begins"])
def test_a_time_of_day_is_run_once_when_summer_time_begins_or_ends(
    place: Place, back: bool
) -> None:
    zone = ZoneInfo("America/New_York")
    midnight = (
        dt.datetime(2026, 11, 1, 4, tzinfo=dt.UTC)
        if back
        else dt.datetime(2027, 3, 14, 5, tzinfo=dt.UTC)
    )
    place.start(daily=(dt.time(2, 30),))
    place.come("2026-10-31")
    run_module.run(place.settings, place.root / "2026-10-31", midnight)
    assert place.look(midnight) is None
    place.watch.done(DueRun(place.root / "2026-10-31", midnight, "it came"), 0, midnight)
    looks = [(midnight + n * 30 * MINUTE).astimezone(zone) for n in range(12)]
    looks = [
        look.astimezone(dt.timezone(look.utcoffset())) for look in looks
    ]  # as the machine's clock gives them
    ran = [f"{job.as_of:%H:%M}" for job in map(place.look, looks) if job]
    assert ran == (["02:30"] if back else ["03:00"])


def test_a_share_that_disappears_during_a_look_does_not_end_the_watch(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.come("2026-11-20", NOON)
    place.look(NOON)

    def gone(self: Path) -> bool:
        raise OSError(112, "Host is down", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "is_dir", gone)
        assert place.look(NOON + MINUTE) is None
    assert "Host is down" in caplog.text
    assert place.look(NOON + 2 * MINUTE)


@pytest.fixture
def started(place: Place, workbench: Workbench) -> Callable[[], subprocess.Popen]:
    """The command itself, looking every second."""
    place.come("2026-11-20")
    command = [
        sys.executable,
        "-m",
        "pipelines",
        "watch",
        "--extracts",
        str(place.root),
        "--every",
        "1",
        "--quiet",
        "1",
    ]
    environment = {**os.environ, "WORKBENCH_LOG": "json"}
    return lambda: subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )


def test_the_command_runs_what_arrives_and_ends_on_sigterm(
    started: Callable[[], subprocess.Popen], place: Place
) -> None:
    with started() as process:
        heard = []
        for line in process.stderr:
            heard.append(json.loads(line))
            if heard[-1]["event"] == "run.published":
                break
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert process.returncode == 0, rest
    assert [line["event"] for line in heard if not line["event"].startswith("run.")] == [
        "watch.began",
        "watch.run",
    ]
    assert heard[-1]["run_id"].startswith("000001-")
    assert (place.settings.warehouse / "CURRENT").exists()
