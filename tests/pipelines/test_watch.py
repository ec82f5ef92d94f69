"""When the watch runs: whole folders in their order, once; what is not whole is waited for, what fails is tried again, nothing is run twice."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import run as run_module
from pipelines import settings as settings_module
from pipelines.settings import ROOT
from pipelines.watch import Habits, Job, Watch
from tests.conftest import Workbench
from tests.practice import Practice

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


class Place:
    """A folder of extracts that is watched; `look` is one look at a moment, and the run it asks for."""

    def __init__(self, workbench: Workbench, practice: Practice) -> None:
        self.practice, self.root = practice, workbench.extracts
        self.settings = settings_module.load()
        self.start()

    def start(self, **habits: object) -> None:
        """Start the watch, as after the machine was."""
        self.watch = Watch(self.settings, self.root, Habits(**habits))

    def come(self, name: str, taken: dt.datetime | None = None, **how: object) -> Path:
        """A folder of extracts that is there at once; without a name it is the watched one itself."""
        return self.practice.write(self.root / name, taken, **how)

    def look(self, now: dt.datetime, exit_code: int = 0) -> Job | None:
        job = self.watch.due(now)
        if job is not None:
            if exit_code == 0:
                run_module.run(self.settings, job.folder, job.as_of)
            self.watch.done(job, exit_code, now)
        return job

    def runs(self, now: dt.datetime) -> list[tuple[str, dt.datetime]]:
        """(folder's name, as_of) of all that is run until nothing is left, looked at twice since a folder must first be quiet."""
        self.look(now)
        found = []
        while job := self.look(now + MINUTE):
            found.append((job.folder.name, job.as_of))
        return found


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
    assert place.look(NOON + 2 * MINUTE) == Job(folder, NOON + 2 * MINUTE, "it came")
    assert place.look(NOON + 9 * HOUR) is None


def test_the_first_time_only_the_newest_is_run(place: Place) -> None:
    for day in (18, 19, 20):
        place.come(f"2026-11-{day}", NOON)
    assert place.runs(NOON) == [("2026-11-20", NOON + MINUTE)]


def test_what_came_meanwhile_is_run_in_order_each_as_of_when_it_was_taken(place: Place) -> None:
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


def test_one_taken_before_the_list_speaks_is_run_for_the_lists_moment(place: Place) -> None:
    place.come("2026-11-18", NOON - 48 * HOUR)
    place.runs(NOON)
    place.come("2026-11-19", NOON - 24 * HOUR)
    place.come("2026-11-20", NOON)
    assert place.runs(NOON + HOUR) == [("2026-11-19", NOON + MINUTE), ("2026-11-20", NOON + HOUR + MINUTE)]


def test_a_restart_runs_once_over_what_was_run_and_goes_on(place: Place) -> None:
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


@pytest.mark.parametrize("name", ["appointments.csv.part", ".appointments.csv.Xy12", "faxes.csv.tmp"])
def test_a_copy_in_progress_is_waited_for(place: Place, name: str) -> None:
    folder = place.come("2026-11-20", NOON)
    (folder / name).write_text("half")
    assert place.runs(NOON) == []
    (folder / name).unlink()
    assert place.runs(NOON + HOUR)


def test_without_a_table_that_the_manifest_names_it_is_waited_for_and_then_run_as_it_is(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.come("2026-11-20", NOON, without=("faxes",))
    assert place.runs(NOON) == []
    assert "faxes is in the manifest and not in the folder; waiting for it" in caplog.text
    assert len(caplog.messages) == 1, "said once"
    assert place.look(NOON + 2 * HOUR)
    assert "it is run as it is" in caplog.text


def test_a_manifest_that_says_incomplete_is_waited_for(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    folder = place.come("2026-11-20", NOON)
    manifest = folder / "manifest.csv"
    whole = manifest.read_text()
    manifest.write_text(whole.replace("0,true,", "0,false,", 1))
    assert place.runs(NOON) == []
    assert "is not complete; waiting for it" in caplog.text
    manifest.write_text(whole)
    assert place.runs(NOON + MINUTE)


def test_without_a_manifest_the_tables_of_the_run_before_are_waited_for(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.come("2026-11-19")
    place.runs(NOON - 24 * HOUR)
    folder = place.come("2026-11-20", without=("claims", "faxes"))
    assert place.runs(NOON) == []
    assert "claims, faxes are not there, which the run before had; waiting for it" in caplog.text
    place.come("2026-11-20")
    assert place.runs(NOON + MINUTE) == [(folder.name, NOON + 2 * MINUTE)]


def test_what_is_not_whole_is_passed_over_when_a_later_one_is(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.come("2026-11-18", NOON - 48 * HOUR)
    place.runs(NOON - 48 * HOUR)
    place.come("2026-11-19", NOON - 24 * HOUR, without=("faxes",))
    place.come("2026-11-20", NOON)
    assert [name for name, _ in place.runs(NOON)] == ["2026-11-20"]
    assert "2026-11-19: passed over, since a later one is there" in caplog.text


def test_a_run_that_failed_is_tried_again_later_or_when_the_folder_changed(place: Place) -> None:
    folder = place.come("2026-11-20", NOON)
    place.look(NOON)
    assert place.look(NOON + MINUTE, exit_code=2)
    assert place.look(NOON + 2 * MINUTE) is None
    assert place.look(NOON + 11 * MINUTE, exit_code=2)
    (folder / "faxes.csv").touch()
    assert place.look(NOON + 12 * MINUTE) is None
    assert place.look(NOON + 13 * MINUTE), "mended, and quiet again"


def test_a_time_of_day_runs_what_was_run_last_once_more(place: Place) -> None:
    place.start(daily=(dt.time(6), dt.time(13, 30)))
    folder = place.come("2026-11-20", NOON)
    assert len(place.runs(NOON)) == 1
    half_past = NOON.replace(hour=13, minute=30)
    assert place.look(half_past - MINUTE) is None
    assert place.look(half_past + MINUTE) == Job(folder, half_past + MINUTE, "it is 13:30")
    assert place.look(half_past + 2 * MINUTE) is None
    assert place.look(NOON.replace(day=21, hour=6)) == Job(folder, NOON.replace(day=21, hour=6), "it is 06:00")


def test_a_share_that_is_not_there_is_said_and_waited_for(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.root.rmdir()
    assert place.runs(NOON) == []
    assert caplog.messages == [f"{place.root}: {place.root}: no such folder"]
    place.root.mkdir()
    place.come("2026-11-20", NOON)
    assert place.runs(NOON + HOUR)


@pytest.fixture
def started(place: Place, workbench: Workbench) -> Callable[[], subprocess.Popen]:
    """The command itself, looking every second."""
    place.come("2026-11-20")
    command = [sys.executable, "-m", "pipelines", "watch", "--extracts", str(place.root), "--every", "1", "--quiet", "1"]
    environment = {**os.environ, "WORKBENCH_LOG": "json"}
    return lambda: subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def test_the_command_runs_what_comes_and_ends_when_told(started: Callable[[], subprocess.Popen], place: Place) -> None:
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
    assert [line["event"] for line in heard if not line["event"].startswith("run.")] == ["watch.began", "watch.run"]
    assert heard[-1]["run_id"].startswith("000001-")
    assert (place.settings.warehouse / "CURRENT").exists()
