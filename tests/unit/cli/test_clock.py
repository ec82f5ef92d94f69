"""Runs and actions that are dated ahead of the machine's clock are refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pipelines.cli import clock
from tests.conftest import Workbench
from tests.practice import Practice

NOW = Workbench.day(5)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's clock stands at day 5."""
    monkeypatch.setattr(clock, "now", lambda: NOW)


def as_of(minutes: float) -> str:
    return (NOW + dt.timedelta(minutes=minutes)).isoformat()


def run(workbench: Workbench, folder: Path, *options: str) -> tuple[int, str]:
    code, _, err = workbench.command("run", "--extracts", folder, *options)
    return code, err


def test_a_run_may_be_so_many_minutes_ahead_and_no_more(
    workbench: Workbench, practice: Practice
) -> None:
    folder = practice.write(workbench.extracts / "1", None)
    code, err = run(workbench, folder, "--as-of", as_of(6))
    assert code == 2 and "6 minutes ahead of this machine's clock" in err and "--force" in err
    assert not (workbench.data / "warehouse" / "CURRENT").exists()
    assert run(workbench, folder, "--as-of", as_of(5))[0] == 0


def test_the_setting_says_how_many(workbench: Workbench, practice: Practice) -> None:
    folder = practice.write(workbench.extracts / "1", None)
    workbench.data.mkdir()
    (workbench.data / "settings.toml").write_text("[practice]\nclock_tolerance = 0\n", "utf-8")
    assert run(workbench, folder, "--as-of", as_of(1))[0] == 2
    assert run(workbench, folder, "--as-of", as_of(0))[0] == 0


def test_an_action_ahead_is_refused_unless_it_is_forced(live: Workbench) -> None:
    task = live.one(4, "uncollected_payments", "V1")
    ahead = 5 + 3
    code, said = live.act("note", task, ahead, "--reason", "called")
    assert code == 1 and "3 days ahead of this machine's clock" in said
    assert live.act("note", task, ahead, "--reason", "called", "--force")[0] == 0
    code, said, _ = live.command("health", "--max-age", "9999999")
    assert "1 are dated later than this machine's clock" in said


def test_a_list_that_is_dated_ahead_names_the_way_back(
    workbench: Workbench, practice: Practice
) -> None:
    folder = practice.write(workbench.extracts / "1", None)
    assert run(workbench, folder, "--as-of", as_of(-60))[0] == 0
    assert run(workbench, folder, "--as-of", as_of(60 * 24 * 400), "--force")[0] == 0
    code, err = run(workbench, folder)
    assert code == 2 and "run --undo" in err and "000001-20261106T100000Z.duckdb" in err
    assert "run --undo" in workbench.command("health")[1]
    assert workbench.command("run", "--undo")[0] == 0
    assert run(workbench, folder)[0] == 0
