"""The first start: the demo is built before any page, says that it is one, and a practice without a list is told what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from pipelines.demo import build
from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice


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


def test_the_demo_is_built_once_and_every_page_says_what_it_is(fresh: Path) -> None:
    app = App(None)
    assert "Who are you?" in app.says
    (name, *_) = [widget for widget in app.test.selectbox if widget.key == "identity.chosen"]
    assert len(name.options) > 10
    built_at = (fresh / "demo" / "built").stat().st_mtime_ns
    grace = App("003002").open("tasks")
    for page in ("dashboard", "tasks", "patient", "runs"):
        assert "Sample practice" in grace.open(page).says
        assert "export WORKBENCH_EXTRACTS=/path/to/extracts" in grace.says
    assert len(grace.open("tasks").tasks) == 100
    assert (fresh / "demo" / "built").stat().st_mtime_ns == built_at
    assert not (fresh / "warehouse").exists(), "a practice's own folder stays empty"


def test_with_extracts_named_but_no_run_yet_it_says_how_to_run(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_EXTRACTS", "/mnt/emr")
    app = App(None)
    assert "No list has been published yet" in app.says
    assert "python -m pipelines run --extracts /mnt/emr" in app.says
    assert not (fresh / "demo").exists()


def test_a_practice_of_its_own_is_not_called_a_sample(
    facility: Workbench, practice: Practice
) -> None:
    assert "Sample practice" not in App("S1").open("tasks").says
