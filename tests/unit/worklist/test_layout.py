"""The layout of snapshots: what a run wrote is what readers of the same software expect."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import UserError
from pipelines.warehouse import snapshots
from pipelines.worklist import layout
from tests.conftest import Workbench
from tests.practice import Practice

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def live(workbench: Workbench, practice: Practice) -> Path:
    """The published snapshot of a practice with one task."""
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    workbench.run(practice, 1)
    found = snapshots.current(workbench.data / "warehouse")
    assert found is not None
    return found


def test_a_run_writes_the_columns_that_readers_expect(live: Path) -> None:
    with snapshots.connect() as con:
        layout.attach(con, live, "published")
        assert layout.columns_of(con, "published") == layout.written_columns()
        stored = snapshots.row(con, "FROM published.snapshot")
    assert stored == {
        "format": snapshots.FORMAT,
        "layout": layout.current(),
        "sources": layout.sources(),
    }


def test_other_sources_that_write_the_same_columns_read_the_snapshot(
    live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "sources", lambda: "a comment was changed")
    with snapshots.connect() as con:
        layout.attach(con, live, "published")


def test_a_column_of_a_newer_history_is_said_to_be_newer(live: Path) -> None:
    with duckdb.connect(live) as con:
        con.execute("ALTER TABLE events ADD COLUMN weather VARCHAR")
        con.execute("UPDATE snapshot SET layout = 'newer', sources = 'newer'")
    for check in (layout.attach, _attach_for_a_run):
        with snapshots.connect() as con, pytest.raises(UserError, match="newer version") as error:
            check(con, live, "published")
        assert "events.weather" in str(error.value) and "upgrade it" in str(error.value)


def _attach_for_a_run(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    snapshots.attach(con, path, name)
    layout.check_not_newer(con, path, name)


def test_a_new_column_of_the_list_asks_for_a_run_and_a_run_adds_it(
    workbench: Workbench, practice: Practice, live: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "changed"
    for folder in ("pipelines", "rules"):
        shutil.copytree(
            ROOT / folder, changed / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    listed = changed / "pipelines" / "worklist" / "listed.sql"
    before, marker, after = listed.read_text("utf-8").rpartition("\nFROM ")
    listed.write_text(f"{before}\n    'sunny' AS weather,{marker}{after}", "utf-8")

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipelines", *map(str, arguments)],
            cwd=changed,
            env=os.environ | {"PYTHONPATH": str(changed)},
            capture_output=True,
            text=True,
            check=False,
        )

    at = workbench.day(2).isoformat()
    refused = command("tasks", "--at", at)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{live}: the snapshot has another format" in refused.stderr
    assert "run the pipeline once more" in refused.stderr
    assert "Traceback" not in refused.stderr
    extracts = practice.write(workbench.extracts / "again", workbench.day(2))
    run = command("run", "--extracts", extracts, "--as-of", at)
    assert run.returncode == 0, run.stderr
    assert command("tasks", "--at", at).returncode == 0
    code, _, error = workbench.command("tasks", "--at", at)
    assert (code, "another format" in error) == (2, True), "this version meets the other's snapshot"
