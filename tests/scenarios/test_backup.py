"""Backup and restore in either database; a damaged backup restores nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from pipelines import settings
from pipelines.errors import UserError
from pipelines.ledger import sign_ins
from pipelines.ledger.actions import NewAction
from pipelines.ledger.ledger import open_ledger
from pipelines.ledger.sign_ins import Account, Standing
from pipelines.operations import backup, kept_sources
from tests.conftest import Workbench
from tests.practice import Practice

ACCOUNT = Account("https://login.example", "1")
AT = dt.datetime(2026, 11, 3, 12, tzinfo=dt.UTC)


@pytest.fixture
def worked(
    workbench: Workbench, practice: Practice, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> Workbench:
    """A practice with a completed task, a look, a saved view and a sign-in, in either database."""
    monkeypatch.setenv("WORKBENCH_LEDGER", ledger_url)
    practice.patient("A").visit("V", "A", "2026-10-30T09:00:00", amount_due="40.00")
    practice.visit("N", "A", "2026-11-10T09:00:00", status="Scheduled")
    workbench.run(practice, 1)
    workbench.act(
        "complete", workbench.one(1, "uncollected_payments", "V"), 1.1, "--reason", "waived"
    )
    with open_ledger(ledger_url) as ledger:
        ledger.record_access(at=AT, staff_id="S1", patient_id="A", kind="patient page")
        ledger.save_view(at=AT, staff_id="S1", name="mine", page="tasks", query="staff=me")
        ledger.record_session(at=AT, staff_id="S1", event="signed in")
        sign_ins.bind(ledger, AT, "S1", ACCOUNT)
    return workbench


def everything(workbench: Workbench) -> tuple:
    with open_ledger(settings.load().ledger_url) as ledger:
        return (
            workbench.tasks(2),
            workbench.history("A", 2),
            ledger.actions(),
            ledger.accesses(),
            ledger.views("S1"),
            sign_ins.standing(ledger, "S1", ACCOUNT),
        )


@pytest.fixture
def restored_url(tmp_path: Path) -> str:
    """The URL of the ledger that a backup is restored into."""
    return f"sqlite:///{tmp_path}/new/ledger.sqlite"


def test_restore_brings_back_what_was_destroyed(
    worked: Workbench, tmp_path: Path, restored_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(worked)
    code, out, _ = worked.command("backup", "--out", tmp_path / "kept")
    assert code == 0
    assert "1 actions, 1 accesses, 1 saved_views, 1 sessions" in out
    (kept,) = (tmp_path / "kept").iterdir()
    shutil.rmtree(worked.data)
    monkeypatch.setenv("WORKBENCH_LEDGER", restored_url)
    assert worked.command("restore", "--from", kept)[0] == 0
    assert everything(worked) == before
    with open_ledger(restored_url) as ledger:
        assert ledger.record(NewAction("t9", "complete", "S1", AT), seen=0).seq == 2, (
            "the numbers go on where they were"
        )


def test_a_backup_of_an_older_version_has_fewer_tables(
    worked: Workbench, tmp_path: Path, restored_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backup.back_up(settings.load(), tmp_path / "kept", AT)
    file, manifest = made.folder / backup.LEDGER, made.folder / backup.MANIFEST
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE sign_ins")
    written = json.loads(manifest.read_text(encoding="utf-8"))
    written["files"][backup.LEDGER] = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(written), encoding="utf-8")
    shutil.rmtree(worked.data)
    monkeypatch.setenv("WORKBENCH_LEDGER", restored_url)
    backup.restore(settings.load(), made.folder)
    with open_ledger(restored_url) as ledger:
        assert [view.name for view in ledger.views("S1")] == ["mine"]
        assert sign_ins.standing(ledger, "S1", ACCOUNT) is Standing.FREE


def test_a_restore_overwrites_nothing(worked: Workbench, tmp_path: Path) -> None:
    made = backup.back_up(settings.load(), tmp_path / "kept", AT)
    with pytest.raises(UserError, match="has a published list; move it away first"):
        backup.restore(settings.load(), made.folder)
    shutil.rmtree(worked.data / "warehouse")
    with pytest.raises(UserError, match="has actions already; move it away first"):
        backup.restore(settings.load(), made.folder)


@pytest.mark.parametrize("damage", ["cut", "changed", "missing", "no manifest", "junk manifest"])
def test_a_damaged_backup_restores_nothing(
    worked: Workbench, tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backup.back_up(settings.load(), tmp_path / "kept", AT)
    file = made.folder / (backup.MANIFEST if "manifest" in damage else backup.LEDGER)
    content = file.read_bytes()
    if damage in ("missing", "no manifest"):
        file.unlink()
    else:
        file.write_bytes(
            content[: len(content) // 2]
            if damage == "cut"
            else content[:-1] + bytes([content[-1] ^ 1])
            if damage == "changed"
            else b"{}"
        )
    new = tmp_path / "new"
    place = settings.load({"WORKBENCH_DATA": str(new)})
    with pytest.raises(UserError, match="nothing was restored"):
        backup.restore(place, made.folder)
    assert not new.exists()


def test_a_backup_that_cannot_be_written_is_reported(worked: Workbench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="the backup could not be written"):
        backup.back_up(settings.load(), tmp_path / "file", AT)
    backup.back_up(settings.load(), tmp_path / "kept", AT)
    with pytest.raises(UserError, match="a backup is never overwritten"):
        backup.back_up(settings.load(), tmp_path / "kept", AT)


def source(home: Path, text: str = 'title = "Ours"\n') -> Path:
    """A source of the practice that has kept a row."""
    folder = home / "ours"
    folder.mkdir(parents=True)
    (folder / "source.toml").write_text(text)
    with duckdb.connect(str(folder / "kept.duckdb")) as con:
        con.execute("CREATE TABLE rows_visits AS SELECT '007' AS visit_id")
    return folder


def test_a_backup_holds_the_sources_and_what_they_keep(worked: Workbench, tmp_path: Path) -> None:
    ours = settings.load()
    folder = source(ours.sources)
    made = backup.back_up(ours, tmp_path / "backups", AT)
    shutil.rmtree(folder)
    kept_sources.check_free(ours.sources, made.folder)
    kept_sources.restore(ours.sources, made.folder)
    assert (folder / "source.toml").read_text() == 'title = "Ours"\n'
    with duckdb.connect(str(folder / "kept.duckdb"), read_only=True) as con:
        assert con.execute("FROM rows_visits").fetchall() == [("007",)]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_restore_overwrites_no_source(worked: Workbench, tmp_path: Path) -> None:
    ours = settings.load()
    source(ours.sources)
    made = backup.back_up(ours, tmp_path / "backups", AT)
    with pytest.raises(UserError, match="ours/kept.duckdb is there already"):
        kept_sources.check_free(ours.sources, made.folder)


def test_no_backup_while_an_import_is_under_way(worked: Workbench, tmp_path: Path) -> None:
    ours = settings.load()
    folder = source(ours.sources)
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(folder / "kept.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(UserError, match="an import of it is under way"):
            backup.back_up(ours, tmp_path / "backups", AT)
        process.communicate("\n")
    assert list((tmp_path / "backups").iterdir()) == []
