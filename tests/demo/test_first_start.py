"""The first start: the demo is built before any page runs, by one job for all sessions."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st

from pipelines.demo import build
from pipelines.errors import UserError
from pipelines.operations.jobs import Job
from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice

PATIENCE = 300  # seconds that a busy machine may take


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine on which nothing was ever run, and a demo of three days."""
    for name in ("WORKBENCH_EXTRACTS", "WORKBENCH_LEDGER", "WORKBENCH_SETTINGS", "WORKBENCH_CLOCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(build, "FIRST_DAY", build.LAST_DAY - dt.timedelta(days=2))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield tmp_path / "data"
    st.cache_data.clear()
    st.cache_resource.clear()


def progress(app: App) -> tuple[float, str] | None:
    """Share and words of the progress bar, None when there is none."""
    bars = app.test.get("progress")
    return (bars[0].proto.value / 100, bars[0].proto.text.replace("\\", "")) if bars else None


def wait(app: App) -> App:
    """Run the page again and again until it shows no progress."""
    until = time.monotonic() + PATIENCE
    while progress(app) and time.monotonic() < until:
        time.sleep(0.5)
        app.run()
    return app


class Builds:
    """Stands in for the child process: says one thing, waits, and then builds or fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go_on, self.failure, self.count = threading.Event(), "", 0
        builds = self

        def call(job: Job[None], function: Callable[..., None]) -> None:
            builds.count += 1
            job.tell(0.4, "Thursday, November 19: people at work")
            builds.go_on.wait(PATIENCE)
            if builds.failure:
                raise UserError(builds.failure)
            function(tell=job.tell)

        monkeypatch.setattr(Job, "call", call)


def test_every_session_sees_the_one_build_go_on(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = Builds(monkeypatch)
    first = App(None)
    assert "Welcome to the Task Workbench" in first.says
    seen = (0.4, "Thursday, November 19: people at work")
    until = time.monotonic() + PATIENCE
    while progress(first) != seen and time.monotonic() < until:
        first.run()
    second = App(None)
    assert progress(first) == progress(second) == progress(first.run()) == seen
    del first  # the tab is closed; the build goes on
    builds.go_on.set()
    assert "Who are you?" in wait(second).says
    assert builds.count == 1


def test_a_build_that_breaks_off_says_so_and_is_tried_again(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = Builds(monkeypatch)
    builds.failure = "It ended before it was done (signal 9)."
    builds.go_on.set()
    app, other = App(None), App(None)
    for session in (wait(app), wait(other)):
        assert "The made-up practice could not be set up. It ended before it was" in session.says
    builds.failure = ""
    assert "Who are you?" in wait(app.click("Try again")).says
    assert "Who are you?" in other.run().says
    assert builds.count == 2


def test_the_demo_is_built_once_and_every_page_says_what_it_is(fresh: Path) -> None:
    app = wait(App(None))
    assert "Who are you?" in app.says
    (name, *_) = [widget for widget in app.test.selectbox if widget.key == "identity.chosen"]
    assert len(name.options) > 10
    built_at = (fresh / "demo" / "built").stat().st_mtime_ns
    grace = App("003002").open("tasks")
    for page in ("dashboard", "tasks", "patient", "runs"):
        assert "Sample practice" in grace.open(page).says
        assert "export WORKBENCH_EXTRACTS=/path/to/extracts" in grace.says
        assert ".venv/bin/python -m pipelines run" in grace.says
        assert ".venv/bin/streamlit run app.py" in grace.says
    assert len(grace.open("tasks").tasks) == 100
    assert (fresh / "demo" / "built").stat().st_mtime_ns == built_at
    assert not (fresh / "warehouse").exists(), "a practice's own folder stays empty"


def test_with_extracts_named_but_no_run_yet_it_says_how_to_run(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_EXTRACTS", "/mnt/emr")
    app = App(None)
    assert "No list has been published yet" in app.says
    assert ".venv/bin/python -m pipelines run --extracts /mnt/emr" in app.says
    assert not (fresh / "demo").exists()


def test_a_practice_of_its_own_is_not_called_a_sample(
    facility: Workbench, practice: Practice
) -> None:
    assert "Sample practice" not in App("S1").open("tasks").says
