"""The first list of the shipped sample: the work of these weeks, no mountain of old tasks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipelines import sample, settings
from pipelines.rules.loading import load_rules
from pipelines.runs import run
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import open_worklist


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The first run over data/sample, with settings as they come."""
    place = settings.load({"WORKBENCH_DATA": str(tmp_path_factory.mktemp("first"))})
    run.run(place, Path(settings.ROOT) / "data" / "sample", sample.DEFAULT_AS_OF)
    with open_worklist(place, sample.DEFAULT_AS_OF) as listed:
        return listed.tasks(Filters(status="open"))


def test_every_task_type_has_a_task(tasks: pd.DataFrame) -> None:
    assert set(tasks["rule_id"]) == set(load_rules())


def test_few_tasks_are_old(tasks: pd.DataFrame) -> None:
    random = tasks[tasks["patient_id"] >= str(sample.FIRST_NUMBER).zfill(7)]
    assert len(random) > 40
    assert random["overdue"].mean() < 0.35
    assert (random["age_days"] > 30).mean() < 0.15
    assert (tasks["age_days"] > 30).mean() < 0.15
