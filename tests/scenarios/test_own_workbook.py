"""A practice's own workbook gives the tasks that the canonical files of its tables give."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests import webpt, workbook
from tests.conftest import Workbench

NIGHT = webpt.NIGHTS[0]


def tasks_after(workbench: Workbench, extracts: Path) -> list[dict[str, object]]:
    """All that is told of each task after a run over these extracts, but for the run's own ids."""
    at = NIGHT.isoformat()
    code, _, err = workbench.command("run", "--extracts", extracts, "--as-of", at, "--force")
    assert code == 0, err
    command = ("tasks", "--at", at, "--status", "all", "--format", "json")
    code, out, err = workbench.command(*command)
    assert code == 0, err
    return sorted(json.loads(out), key=lambda task: (task["rule_id"], task["subject_id"]))


@pytest.mark.parametrize("kept", ["workbook", "folder"])
def test_six_sheets_give_the_tasks_of_the_six_tables(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    whole = webpt.sample_nights(workbench.folder / "whole")[0]
    six = workbench.folder / "six"
    six.mkdir()
    for table in workbook.SHEETS:
        shutil.copy(whole / f"{table}.csv", six)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("WORKBENCH_DATA", str(workbench.folder / "truth"))
        truth = tasks_after(workbench, six)
    rules = {task["rule_id"] for task in truth}
    assert rules >= {"draft_documents", "uncollected_payments", "unscheduled_patient"}

    source = six
    if kept == "workbook":
        source = workbook.write_workbook(six, workbench.folder / "kept" / "Practice.xlsx").parent
    out = workbench.extracts / kept
    command = ("import", "--source", "excel", "--from", source, "--out", out)
    code, said, err = workbench.command(*command, "--as-of", NIGHT.isoformat())
    assert code == 0, said + err
    assert tasks_after(workbench, out) == truth
