"""What is written is for its own user alone, whatever the machine's habits are."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.operations import permissions
from tests.conftest import Workbench
from tests.practice import Practice

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def an_open_machine() -> Iterator[None]:
    """On which new files may be read by everybody."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    return [
        path.name
        for path in (folder, *folder.rglob("*"))
        if stat.S_IMODE(path.stat().st_mode) & permissions.OTHERS
    ]


def refused(practice: Practice) -> Practice:
    """A practice with a task, and with a row that goes to the rejected ones."""
    practice.patient("A").visit("V", "A", "2026-10-30T09:00:00", amount_due="40.00")
    return practice.add(
        "payments",
        "BAD",
        patient_id="A",
        case_id="C-A",
        kind="gift",
        amount="1.00",
        paid_at="2026-11-01T12:00:00",
    )


def test_nobody_else_may_read_what_a_run_an_act_and_a_backup_write(
    workbench: Workbench, practice: Practice, tmp_path: Path
) -> None:
    workbench.run(refused(practice), 1)
    assert workbench.act("note", workbench.tasks(1)[0], 1, "--reason", "called")[0] == 0
    assert workbench.command("backup", "--out", tmp_path / "backup")[0] == 0
    written = {path.name.partition("-")[0] for path in workbench.data.rglob("*")}
    assert {"ledger.sqlite", "payments.csv", "CURRENT"} <= written
    assert open_to_others(workbench.data) == open_to_others(tmp_path / "backup") == []


def test_open_permissions_are_restricted(workbench: Workbench, practice: Practice) -> None:
    workbench.run(refused(practice), 1)
    for path in (
        workbench.data / "ledger.sqlite",
        workbench.data / "warehouse",
        workbench.data / "rejected",
    ):
        path.chmod(0o755)
    workbench.tasks(1)
    assert open_to_others(workbench.data) == []


def test_the_screens_write_for_their_own_user_too() -> None:
    asked = "import os, app; print(oct(os.umask(0)))"
    assert subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split() == ["0o77"]
