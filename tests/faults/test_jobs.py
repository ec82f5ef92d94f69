"""Jobs: what a child process reports, returns and fails with, and that one of a kind goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pytest

from pipelines import settings
from pipelines.analytics import backtest
from pipelines.extracts import folder
from pipelines.operations.jobs import STOPPED, Job, JobSlot
from pipelines.runs import run
from tests import job_tasks
from tests.conftest import Workbench
from tests.practice import Practice

T = TypeVar("T")
PATIENCE = 300  # seconds that a busy machine may take


def finished(job: Job[T]) -> Job[T]:
    """Start the job and wait until it is over."""
    job.start()
    return over(job)


def over(job: Job[T]) -> Job[T]:
    until = time.monotonic() + PATIENCE
    while not job.is_over and time.monotonic() < until:
        time.sleep(0.02)
    assert job.is_over
    return job


def calling(function: Callable[..., T]) -> Job[T]:
    """A job that calls a function in a child process."""
    return Job("Dana", lambda job: job.call(function))


class Listening(Job[T]):
    """A job that keeps everything it is told."""

    def tell(self, share: float, doing: str) -> None:
        self.__dict__.setdefault("told", []).append((share, doing))
        super().tell(share, doing)

    @property
    def told(self) -> list[tuple[float, str]]:
        return self.__dict__.get("told", [])


def test_the_result_comes_back_and_progress_is_told() -> None:
    job = finished(Listening("Dana", lambda job: job.call(partial(job_tasks.double, 21))))
    assert (job.result, job.failed) == (42, None)
    assert job.told == [(0.25, "of the patients"), (0.5, "Monday, November 2")]


@pytest.mark.parametrize(
    ("task", "why"),
    [
        (job_tasks.refuse, "/x/2026-11-02: no such folder"),
        (job_tasks.break_down, "Something went wrong in the program."),
        (job_tasks.die, "It ended before it was done (signal 9)."),
    ],
)
def test_a_failure_is_said_and_logged_without_a_value(
    task: Callable[..., None], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "workbench"):
        job = finished(calling(task))
    assert job.result is None
    assert job.failed is not None
    assert job.failed.startswith(why)
    (record,) = caplog.records
    assert "Ana Test" not in caplog.text + str(vars(record))
    assert ("KeyError" in str(vars(record))) is (task is job_tasks.break_down)


def test_a_job_that_breaks_in_the_server_itself_is_over(caplog: pytest.LogCaptureFixture) -> None:
    def work(job: Job[None]) -> None:
        raise KeyError("Ana Test")

    job = finished(Job("Dana", work))
    assert job.failed is not None and job.failed.startswith("Something went wrong.")


def test_a_job_is_stopped_and_its_child_cleans_up(tmp_path: Path) -> None:
    job = calling(partial(job_tasks.wait, tmp_path))
    job.start()
    until = time.monotonic() + PATIENCE
    while job.doing != "waiting" and time.monotonic() < until:
        time.sleep(0.02)
    job.stop()
    assert over(job).failed == STOPPED
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_is_stopped_before_its_child_began_ends_at_once(tmp_path: Path) -> None:
    job = calling(partial(job_tasks.wait, tmp_path))
    job.stop()
    assert finished(job).failed == STOPPED


def test_one_job_of_a_kind_goes_on_and_the_next_follows() -> None:
    go_on = threading.Event()
    slot: JobSlot[None] = JobSlot()
    first = Job("Dana", lambda job: go_on.wait(30) and None)
    assert slot.start(first) is first
    assert slot.start(Job("Omar", lambda job: None)) is first, "who asks meanwhile joins"
    assert slot.going is first
    go_on.set()
    over(first)
    assert (slot.going, slot.last) == (None, first)
    second = Job("Omar", lambda job: None)
    assert slot.start(second) is second


def test_a_command_reports_its_stages_and_its_failure(
    workbench: Workbench, practice: Practice, tmp_path: Path
) -> None:
    extracts = practice.write(workbench.extracts / "1", workbench.day(1))
    command = ["run", "--extracts", str(extracts), "--as-of", workbench.day(1).isoformat()]
    job = finished(Listening("Dana", lambda job: job.run_command(settings.load(), command)))
    assert job.failed is None
    assert job.told == list(zip((0.0, 0.25, 0.5, 0.75), run.STAGES, strict=True))
    command[2] = str(tmp_path / "nowhere")
    job = finished(Listening("Dana", lambda job: job.run_command(settings.load(), command)))
    assert job.failed is not None and "nowhere" in job.failed


@pytest.fixture
def folders(workbench: Workbench, practice: Practice, tmp_path: Path) -> list[Path]:
    practice.add("policies", "POL", patient_id="A").patient("A")
    practice.add(
        "authorizations",
        "AUTH",
        policy_id="POL",
        case_id="C-A",
        starts_on="2026-06-01",
        ends_on="2026-11-22",
        number="A1",
    )
    for day in (1, 7):
        practice.write(tmp_path / "past" / f"2026-11-{day + 1:02d}", workbench.day(day))
    return folder.dated_folders(tmp_path / "past")


def test_a_backtest_is_the_same_as_in_this_process(folders: list[Path]) -> None:
    moments = [(path, folder.moment_of(path)) for path in folders]
    changes = {"days_ahead": 20}
    question = (settings.load(), "authorization_expiring", changes, moments)
    job = finished(Listening("Dana", lambda job: job.call(partial(backtest.backtest, *question))))
    here = backtest.backtest(*question)
    assert job.result is not None
    pd.testing.assert_frame_equal(job.result.days, here.days)
    pd.testing.assert_frame_equal(job.result.earlier, here.earlier)
    assert [share for share, _ in job.told] == [0.0, 0.25, 0.5, 0.75]
    assert job.told[0][1] == "Monday, November 2"
    assert not settings.load().data.exists(), "the practice's own folder is not touched"


def test_why_a_backtest_could_not_be_done_is_said(
    workbench: Workbench, folders: list[Path], tmp_path: Path
) -> None:
    moments = [(path, folder.moment_of(path)) for path in folders]
    for rule_id, days, why in (
        ("nope", moments, "There is no rule nope"),
        ("mips", [(tmp_path / "2026-11-09", workbench.day(8))], "no such folder"),
    ):
        job = finished(calling(partial(backtest.backtest, settings.load(), rule_id, {}, days)))
        assert job.failed is not None and why in job.failed
