"""The contenders of the comparison do the same work, and a next day changes about 1 % of rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import settings
from pipelines.bench import compare, lists, sizes
from pipelines.worklist.live import LiveWorklist
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return compare.two_days(tmp_path_factory.mktemp("days"), 800)


def test_plain_pandas_finds_the_tasks_that_two_runs_find(
    days: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "ours").mkdir()
    ours, pandas = compare.ours(days, tmp_path / "ours"), compare.pandas(days, tmp_path)
    assert pandas.found == ours.found
    first, second = ours.found
    assert (
        {rule_id for rule_id, _ in first}
        == {rule_id for rule_id, _ in second}
        == set(compare.RULES)
    )
    assert first - second
    assert second - first


def test_a_next_day_changes_about_one_row_in_a_hundred(days: tuple[Path, Path]) -> None:
    assert sizes.changed_share(days[0], days[0]) == 0
    assert 0.005 < sizes.changed_share(*days) < 0.02


def test_every_view_of_the_list_is_asked_all_its_questions(
    workbench: Workbench, practice: Practice
) -> None:
    practice.patient("A").visit("V", "A", "2026-10-30T09:00:00", amount_due="40.00")
    workbench.run(practice, 1)
    shared = LiveWorklist(settings.load())
    with shared.at(workbench.day(1)) as worklist:
        asked = list(lists.views(worklist))
    assert {view.kind for view in asked} == {
        "none",
        "facility",
        "category",
        "type",
        "staff",
        "payer",
        "age",
        "patient",
        "status",
        "several",
    }
    taken = lists.ask(shared, workbench.day(1), asked[0])
    assert taken.keys() == {*lists.QUESTIONS, "all"}
    assert taken["all"] >= sum(taken[name] for name in lists.QUESTIONS) > 0
