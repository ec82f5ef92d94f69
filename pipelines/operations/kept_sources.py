"""The practice's own sources in a backup: their mapping files, and what they keep.

A backup has no sub-folders, so a file is named `source.NAME.FILE` there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipelines.errors import UserError
from pipelines.operations.source_watch import TAKEN
from pipelines.sources import choices, kept, mapping
from pipelines.sql_files import literal
from pipelines.warehouse import snapshots

PREFIX = "source."
FILES = (mapping.FILE, choices.FILE, kept.FILE, TAKEN)


def copy(home: Path, folder: Path) -> None:
    """Copy every source of `home` into a backup's folder, each store as of one moment.

    UserError while an import of a source is under way.
    """
    for file in _files(home):
        target = folder / f"{PREFIX}{file.parent.name}.{file.name}"
        if file.name != kept.FILE:
            shutil.copyfile(file, target)
            continue
        try:
            with snapshots.connect() as con:
                con.execute(f"ATTACH {literal(file)} AS kept (READ_ONLY)")
                con.execute(f"ATTACH {literal(target)} AS copied")
                con.execute("COPY FROM DATABASE kept TO copied")
        except duckdb.Error as error:
            busy = "lock" in str(error).lower()
            why = "an import of it is under way; try again" if busy else "it is damaged"
            raise UserError(f"{file}: cannot be copied: {why}") from None


def check_free(home: Path, folder: Path) -> None:
    """UserError when a source of the backup is in `home` already."""
    for _, target in _targets(home, folder):
        if target.exists():
            raise UserError(f"{target} is there already; move it away first, nothing was restored")


def restore(home: Path, folder: Path) -> None:
    """Put the sources of a backup into `home`, readable by their owner only."""
    for file, target in _targets(home, folder):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(file, target)
        target.chmod(0o600)


def _files(home: Path) -> Iterator[Path]:
    for name in FILES:
        yield from sorted(home.glob(f"*/{name}"))


def _targets(home: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    for file in sorted(folder.glob(f"{PREFIX}*")):
        for name in FILES:
            source = file.name.removeprefix(PREFIX).removesuffix(f".{name}")
            if file.name.endswith(f".{name}") and mapping.NAME.fullmatch(source):
                yield file, home / source / name
