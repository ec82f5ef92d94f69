"""Folders of extracts: which have arrived, their order, and whether each is complete."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.operations import arrivals
from pipelines.operations.arrivals import LastRun
from tests.practice import Practice

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


def folders(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)


def since(root: Path, last: Path | None) -> list[str]:
    """Names of the folders that a list made from this one has not read, and its own."""
    return [
        folder.name
        for folder in arrivals.since(
            root, LastRun(last and last.resolve(), NOON, NOON, frozenset(), NOON)
        )
    ]


def test_numbers_in_names_are_compared_as_numbers(tmp_path: Path) -> None:
    names = [
        "2026-11-19T23",
        "20261120",
        "20261120_2",
        "20261120_9",
        "20261120_10",
        "2026-11-21T5",
        "2026-11-21T10-30",
    ]
    folders(tmp_path, *reversed(names))
    assert [folder.name for folder in arrivals.folders(tmp_path)] == names
    assert since(tmp_path, tmp_path / "20261120_9") == names[3:]


@pytest.mark.parametrize("name", ["2026-11-21.part", "2026-11-21.tmp", "20261121.filepart"])
def test_a_folder_still_being_copied_does_not_count(tmp_path: Path, name: str) -> None:
    folders(tmp_path, "2026-11-20", name)
    assert since(tmp_path, tmp_path / "2026-11-20") == ["2026-11-20"]


def test_links_come_in_the_order_of_their_own_names(tmp_path: Path) -> None:
    folders(tmp_path, "spool/zulu", "spool/alpha", "in")
    (tmp_path / "in" / "2026-11-20").symlink_to(tmp_path / "spool" / "zulu")
    (tmp_path / "in" / "2026-11-21").symlink_to(tmp_path / "spool" / "alpha")
    assert since(tmp_path / "in", tmp_path / "in" / "2026-11-20") == ["zulu", "alpha"]


def test_without_the_folder_of_the_list_later_ones_count_or_else_the_newest(
    tmp_path: Path,
) -> None:
    folders(tmp_path, "2026-11-18", "2026-11-19", "2026-11-20")
    assert since(tmp_path, tmp_path / "2026-11-17") == ["2026-11-18", "2026-11-19", "2026-11-20"]
    assert since(tmp_path, tmp_path / "2026-11-20_incoming") == ["2026-11-20"]
    assert (
        since(tmp_path, tmp_path / "mended")
        == since(tmp_path, tmp_path.parent / "2026-11-01")
        == since(tmp_path, None)
        == ["2026-11-20"]
    )


def test_a_link_to_the_current_folder_is_followed_when_it_changes(
    tmp_path: Path, practice: Practice
) -> None:
    for name in ("2026-11-20", "2026-11-19"):
        practice.write(tmp_path / name, None)
    (tmp_path / "current").symlink_to("2026-11-19")
    assert since(tmp_path / "current", tmp_path / "2026-11-20") == ["2026-11-19"]


def test_a_table_in_parts_is_seen_behind_a_link(tmp_path: Path, practice: Practice) -> None:
    folder = practice.write(tmp_path / "2026-11-20", None, without=("faxes",))
    parts = tmp_path / "elsewhere"
    parts.mkdir()
    (folder / "faxes").symlink_to(parts)
    before = arrivals.look(folder, frozenset({"faxes"}))
    assert before.missing == "faxes is not there, which the run before had"
    (parts / ".part-0.csv.Xy12Ab").write_text("half")
    assert arrivals.look(folder).missing == ".part-0.csv.Xy12Ab is still being written"
    (parts / ".part-0.csv.Xy12Ab").rename(parts / "part-0.csv")
    after = arrivals.look(folder, frozenset({"faxes"}))
    assert after.missing is None
    assert after.files != before.files


def test_files_in_a_sub_folder_are_ignored(tmp_path: Path, practice: Practice) -> None:
    before = arrivals.look(practice.write(tmp_path, None))
    folders(tmp_path, "archive/2026-11-01")
    (tmp_path / "archive" / "2026-11-01" / "faxes.csv.part").write_text("broken off long ago")
    after = arrivals.look(tmp_path)
    assert (after.files, after.missing) == (before.files, None)


def test_a_file_has_changed_when_its_time_its_size_or_its_mode_has(
    tmp_path: Path, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = practice.write(tmp_path, None) / "faxes.csv"
    before = arrivals.look(tmp_path).files
    stat = file.stat()
    file.write_bytes(file.read_bytes())
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert arrivals.look(tmp_path).files == before, (
        "a share that makes up numbers for inodes would change at every look"
    )
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    touched = arrivals.look(tmp_path).files
    assert touched != before
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path) != file
    )  # root may read everything
    assert arrivals.look(tmp_path).files != touched


def test_a_missing_share_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(path: Path) -> None:
        raise OSError(116, "Stale file handle", str(path))

    monkeypatch.setattr(Path, "iterdir", gone)
    with pytest.raises(
        UserError,
        match=r"cannot be read \(Stale file handle\)|cannot be listed \(Stale file handle\)",
    ):
        arrivals.folders(tmp_path)
