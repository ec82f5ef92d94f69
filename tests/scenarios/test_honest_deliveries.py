"""An export that was cut or is old: nothing opens or clears for it, and `health` says so."""

from __future__ import annotations

import csv
import datetime as dt
import os
import shutil
from pathlib import Path

import pytest

from tests.bhsim import EXPORT, EXPORTED, rows_of
from tests.conftest import Workbench
from tests.unit.sources import small


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """The bhsim export, which a test may change."""
    return Path(shutil.copytree(EXPORT, tmp_path / "export"))


def imported(workbench: Workbench, source: str, folder: Path, out: str, *more: str) -> int:
    code, _, _ = workbench.command(
        "import", "--source", source, "--from", folder, "--out", workbench.folder / out, *more
    )
    return code


def run(workbench: Workbench, out: str, at: dt.datetime) -> None:
    code, _, err = workbench.command(
        "run", "--extracts", workbench.folder / out, "--as-of", at.isoformat(), "--force"
    )
    assert code == 0, err


def tasks_by_end(workbench: Workbench, at: dt.datetime) -> dict[str, str | None]:
    """How each task on the list stands, by its id."""
    code, out, err = workbench.command(
        "tasks", "--at", at.isoformat(), "--status", "all", "--format", "csv"
    )
    assert code == 0, err
    return {row["task_id"]: row["close_kind"] for row in csv.DictReader(out.splitlines())}


def test_a_cut_export_neither_opens_nor_clears_a_task(workbench: Workbench, export: Path) -> None:
    at = ("--as-of", EXPORTED.isoformat())
    assert imported(workbench, "bhsim", export, "whole", *at) == 0
    run(workbench, "whole", EXPORTED)
    before = tasks_by_end(workbench, EXPORTED)
    lines = (export / "visits.csv").read_text().splitlines(keepends=True)
    (export / "visits.csv").write_text("".join(lines[: len(lines) * 6 // 10]))
    next_day = EXPORTED + dt.timedelta(hours=1)
    assert imported(workbench, "bhsim", export, "cut", "--as-of", next_day.isoformat()) == 1
    run(workbench, "cut", next_day)
    assert tasks_by_end(workbench, next_day) == before
    code, out, _ = workbench.command("health", "--max-age", "100000")
    assert code == 1
    assert "rows where the delivery before had" in out


def test_an_old_export_is_old_whenever_it_is_imported(workbench: Workbench, tmp_path: Path) -> None:
    small.write_mapping(workbench.data / "sources")
    folder = small.write_files(tmp_path / "export")
    now = dt.datetime.now(dt.UTC)
    for file in folder.iterdir():
        long_ago = (now - dt.timedelta(days=30)).timestamp()
        os.utime(file, (long_ago, long_ago))
    assert imported(workbench, "small", folder, "out") == 0
    taken = {row["extracted_at"] for row in rows_of(workbench.folder / "out", "manifest")}
    assert [dt.datetime.fromisoformat(one).date() for one in taken] == [
        (now - dt.timedelta(days=30)).date()
    ]
    run(workbench, "out", now)
    code, out, _ = workbench.command("health")
    assert code == 1
    assert "the oldest extract of the last run was taken 30 days ago" in out


def test_the_same_content_again_is_as_old_as_it_was(workbench: Workbench, tmp_path: Path) -> None:
    small.write_mapping(workbench.data / "sources")
    times = []
    for day in ("2026-11-20", "2026-11-24"):
        folder = small.write_files(tmp_path / day)
        assert imported(workbench, "small", folder, f"out {day}") == 0
        rows = rows_of(workbench.folder / f"out {day}", "manifest")
        times.append({row["extracted_at"] for row in rows if row["table"] == "appointments"})
    assert times == [{"2026-11-20T12:00:00+00:00"}, {"2026-11-20T12:00:00+00:00"}]
