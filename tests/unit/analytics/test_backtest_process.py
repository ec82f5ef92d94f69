"""A backtest in a process of its own gives the same answer, tells how far it is, and says why it could not be done."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipelines import settings
from pipelines.analytics import backtest
from pipelines.analytics.backtest_process import Question, ask
from pipelines.errors import UserError
from pipelines.extracts import folder
from tests.conftest import Workbench
from tests.practice import Practice


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


def test_the_answer_is_the_same_and_progress_is_told(folders: list[Path]) -> None:
    told: list[tuple[float, str]] = []
    found = ask(
        Question(settings.load(), "authorization_expiring", {"days_ahead": 20}, folders),
        lambda *news: told.append(news),
    )
    here = backtest.backtest(
        settings.load(),
        "authorization_expiring",
        {"days_ahead": 20},
        [(f, folder.moment_of(f)) for f in folders],
    )
    pd.testing.assert_frame_equal(found.days, here.days)
    pd.testing.assert_frame_equal(found.earlier, here.earlier)
    assert [share for share, _ in told] == [0.0, 0.25, 0.5, 0.75]
    assert told[0][1] == "Monday, November 2"
    assert not settings.load().data.exists(), "the practice's own folder is not touched"


def test_why_it_could_not_be_done_is_said(folders: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no rule nope"):
        ask(Question(settings.load(), "nope", {}, folders))
    with pytest.raises(UserError, match="no such folder"):
        ask(Question(settings.load(), "mips", {}, [tmp_path / "2026-11-09"]))
