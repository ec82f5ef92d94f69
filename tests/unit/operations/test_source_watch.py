"""A source's drop folder: each whole delivery is imported once, oldest first."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines import settings as settings_module
from pipelines.errors import UserError
from pipelines.operations import source_watch
from pipelines.operations.source_watch import SourceWatch
from pipelines.settings import Settings
from tests.unit.sources import small

NOW = dt.datetime(2026, 11, 28, 6, tzinfo=dt.UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    small.write_mapping(tmp_path / "data" / "sources")
    return replace(settings_module.load(), data=tmp_path / "data")


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


def watch(settings: Settings, drop: Path) -> SourceWatch:
    return SourceWatch(settings, "small", drop, dt.timedelta(seconds=60))


def take(watching: SourceWatch, minutes: int = 0) -> list[str]:
    """Look twice, two minutes apart, and list the folders of extracts."""
    at = NOW + dt.timedelta(minutes=minutes)
    watching.take(at)
    watching.take(at + dt.timedelta(minutes=2))
    return sorted(folder.name for folder in watching.extracts.iterdir())


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_whole_delivery_is_imported_once(settings: Settings, drop: Path) -> None:
    small.write_files(drop / "2026-11-27")
    watching = watch(settings, drop)
    assert watching.take(NOW) is False
    assert watching.take(NOW + dt.timedelta(seconds=30)) is False
    assert watching.take(NOW + dt.timedelta(seconds=61)) is True
    (folder,) = watching.extracts.iterdir()
    assert folder.name == "2026-11-27T120000Z"
    assert len(rows(folder, "appointments")) == 10
    made = (folder / "manifest.csv").stat().st_mtime_ns
    again = watch(settings, drop)
    assert take(again, 10) == ["2026-11-27T120000Z"]
    assert (folder / "manifest.csv").stat().st_mtime_ns == made


@pytest.mark.parametrize("kind", ["folder", "zip", "loose files"])
def test_a_delivery_is_a_folder_a_zip_or_the_files_of_a_day(
    settings: Settings, drop: Path, tmp_path: Path, kind: str
) -> None:
    if kind == "folder":
        small.write_files(drop / "11272026")
    elif kind == "zip":
        made = shutil.make_archive(
            str(tmp_path / "2026-11-27"), "zip", small.write_files(tmp_path / "files")
        )
        shutil.move(made, drop)
    else:
        small.write_files(drop, "_20261127")
    watching = watch(settings, drop)
    assert [name[:10] for name in take(watching)] == ["2026-11-27"]


def test_nights_are_taken_in_order(settings: Settings, drop: Path) -> None:
    small.write_files(drop, "_20261126")
    small.write_files(
        drop, "_20261127", Receipts=[*small.FILES["Receipts"], "4,004,11/24/2026,25,11/27/2026"]
    )
    watching = watch(settings, drop)
    assert [name[:10] for name in take(watching)] == ["2026-11-26", "2026-11-27"]
    newest = max(watching.extracts.iterdir())
    assert len(rows(newest, "payments")) == 4


def test_an_unfinished_copy_waits(settings: Settings, drop: Path) -> None:
    folder = small.write_files(drop / "2026-11-27")
    (folder / "Visits.csv").rename(folder / "Visits.csv.part")
    watching = watch(settings, drop)
    assert take(watching) == []
    (folder / "Visits.csv.part").rename(folder / "Visits.csv")
    assert take(watching, 10) == ["2026-11-27T120000Z"]


def test_a_refused_delivery_is_said_once_and_tried_when_it_changes(
    settings: Settings, drop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (drop / "2026-11-27").mkdir()
    (drop / "2026-11-27" / "Other.csv").write_text("a,b\n1,2\n")
    watching = watch(settings, drop)
    assert take(watching) == []
    assert take(watching, 10) == []
    said = [record.getMessage() for record in caplog.records]
    assert len([one for one in said if "no table can be imported" in one]) == 1
    small.write_files(drop / "2026-11-27")
    assert take(watching, 20) == ["2026-11-27T120000Z"]


def test_a_drop_folder_that_is_away_is_said_and_waited_for(
    settings: Settings, drop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drop.rmdir()
    watching = watch(settings, drop)
    assert take(watching) == []
    assert "cannot be listed" in caplog.text
    small.write_files(drop / "2026-11-27")
    assert take(watching, 10) == ["2026-11-27T120000Z"]


def test_the_last_seven_are_kept(settings: Settings, drop: Path) -> None:
    for day in range(10, 20):
        small.write_files(drop / f"2026-11-{day}", Sites=["Site ID,Site", f"1,Harbor {day}"])
    watching = watch(settings, drop)
    assert [name[:10] for name in take(watching)] == [f"2026-11-{day}" for day in range(13, 20)]


def test_what_was_taken_is_noted_without_a_value(settings: Settings, drop: Path) -> None:
    small.write_files(drop / "2026-11-27")
    watching = watch(settings, drop)
    take(watching)
    noted = json.loads((watching.home / source_watch.TAKEN).read_text())
    assert list(noted) == ["2026-11-27"]


def test_a_delivery_that_is_forgotten_is_taken_again(settings: Settings, drop: Path) -> None:
    small.write_files(drop / "2026-11-27")
    watching = watch(settings, drop)
    (name,) = take(watching)
    (watching.extracts / name / "patients.csv").unlink()
    source_watch.forget(watching.home, "another")
    take(watching, 10)
    assert not (watching.extracts / name / "patients.csv").exists()
    source_watch.forget(watching.home, "2026-11-27")
    take(watching, 20)
    assert (watching.extracts / name / "patients.csv").exists()


def test_nothing_is_forgotten_where_nothing_was_taken(tmp_path: Path) -> None:
    source_watch.forget(tmp_path, "2026-11-27")
    (tmp_path / source_watch.TAKEN).write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="remove it to begin anew"):
        source_watch.forget(tmp_path, "2026-11-27")


def test_a_failure_that_passes_is_tried_again(settings: Settings, drop: Path) -> None:
    small.write_files(drop / "2026-11-27")
    watching = watch(settings, drop)
    store = watching.home / "kept.duckdb"
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(store)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert take(watching) == []
        process.communicate("\n")
    assert take(watching, 3) == []
    assert take(watching, 15) == ["2026-11-27T120000Z"]
