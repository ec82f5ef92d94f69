"""Runs: what each run read, and Refresh."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from pipelines.operations.jobs import Job
from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice


def test_runs_name_every_table_with_what_was_read_staged_and_refused(
    dana: App, facility: Workbench, practice: Practice
) -> None:
    practice.add(
        "payments",
        "BAD",
        patient_id="A",
        case_id="C-A",
        kind="gift",
        amount="1.00",
        paid_at="2026-11-01T12:00:00",
    )
    facility.run(practice, 1.0)
    dana.open("runs")
    runs, _, tables, refused = (frame.value for frame in dana.test.dataframe)
    assert list(runs["run_no"]) == [2, 1]
    row = tables.set_index("table_name").loc["payments"]
    assert (row["rows_read"], row["rows_staged"], row["rows_refused"]) == (1, 0, 1)
    assert "gift" not in refused.to_string(), "values are in the download only"
    assert ("The list it published", "at=2026-11-02T11%3A00%3A00Z") in dana.links


def test_refresh_says_whom_to_ask_when_it_knows_no_extracts(dana: App) -> None:
    dana.open("runs").click("Refresh now")
    assert "The workbench does not know where the practice's data arrives." in dana.says
    assert "Ask whoever looks after the workbench to set it up" in dana.says


def refreshed(app: App) -> App:
    """Click the button and wait until the refresh is over."""
    app.click("Refresh now")
    until = time.monotonic() + 300
    while app.test.get("progress") and time.monotonic() < until:
        time.sleep(0.2)
        app.run()
    return app


def test_a_refresh_publishes_a_new_list_and_a_broken_one_keeps_the_old(
    facility: Workbench, practice: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "arrived"
    monkeypatch.setenv("WORKBENCH_EXTRACTS", str(folder))
    dana = App("S1").open("runs")
    assert "The refresh did not publish a new list" in refreshed(dana).says
    assert "arrived" in dana.says
    practice.write(folder, facility.day(1))
    assert "A new list was published (started by Dana Whitfield)." in refreshed(dana).says
    assert list(dana.test.dataframe[0].value["run_no"]) == [2, 1]


def test_a_refresh_is_joined_and_shown_to_everybody(
    facility: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_EXTRACTS", str(tmp_path))
    go_on, started = threading.Event(), []

    def run_command(job: Job[None], *_: object) -> None:
        started.append(job)
        job.tell(0.25, "asking the rules")
        go_on.wait(300)

    monkeypatch.setattr(Job, "run_command", run_command)
    omar = App("S2").open("runs")
    dana = App("S1").open("runs").click("Refresh now")
    assert progress_of(dana) == "Applying the rules (started by Dana Whitfield)"
    omar.click("Refresh now")
    assert progress_of(omar) == progress_of(dana)
    go_on.set()
    assert len(started) == 1


def progress_of(app: App) -> str:
    (bar,) = app.test.get("progress")
    return bar.proto.text
