"""The folders of extracts that have arrived: which are complete, and which the list has read."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract, names
from pipelines.extracts import folder as extracts_folder
from pipelines.runs import history
from pipelines.settings import Settings
from pipelines.warehouse import snapshots
from pipelines.warehouse.undone import UndoneRun

# Names of copies in progress: a known ending, or hidden with six more letters, as rsync does.
UNFINISHED = re.compile(
    r"(?i).*\.(?:part|partial|filepart|tmp|temp|crdownload|inprogress|_copying_)|\..+\.\w{6}|_temporary|\.~tmp~"
    rf"|\.(?:{'|'.join(contract.TABLES)}|manifest)\..*"
)

# Of each file: path in the folder, bytes, time of change in ns, whether it can be read.
Files = tuple[tuple[str, int, int, bool], ...]


@dataclass(frozen=True)
class LastRun:
    """What the published list was made from.

    `folder` is None in a list of an older version, `tables` are those it read. It cannot have read
    what arrived after `read_at` (UTC); `published_at` (UTC) is by this machine's clock.
    """

    folder: Path | None
    as_of: dt.datetime
    read_at: dt.datetime
    tables: frozenset[str]
    published_at: dt.datetime


@dataclass(frozen=True)
class Delivery:
    """A folder of extracts at one look.

    `files` differs whenever something in it changed, `came_at` (UTC) is when its newest file
    arrived, and `missing` says why the folder is not complete.
    """

    folder: Path
    files: Files
    came_at: dt.datetime
    missing: str | None

    @property
    def signature(self) -> str:
        """A hash of `files`."""
        return hashlib.sha256(repr(self.files).encode()).hexdigest()

    def is_undone(self, undone: Iterable[UndoneRun]) -> bool:
        """Whether a run over it was undone, and nothing in it has changed since."""
        of_folder = [run for run in undone if run.extracts == str(self.folder.resolve())]
        return any(run.files == self.signature for run in of_folder)


def folders(root: Path) -> list[Path]:
    """The folder itself when it holds tables, else its dated sub-folders; UserError for neither."""
    if extracts_folder.is_delivery(root):
        return [root]
    dated = extracts_folder.dated_folders(root)
    dated = [folder for folder in dated if not UNFINISHED.fullmatch(folder.name)]
    if not dated:
        extracts_folder.find(root)  # says what is not there
    return dated


def look(folder: Path, expected: frozenset[str] = frozenset()) -> Delivery:
    """The folder as it is now.

    Without a manifest it is complete when it has the `expected` tables, those of the last run.
    """
    files, unfinished = [], []
    came = folder.stat().st_ctime
    for path in _files(folder):
        try:
            stat = path.stat()
        except OSError:  # renamed between the two calls, so it is still being written
            unfinished.append(path.name)
            continue
        if UNFINISHED.fullmatch(path.name):
            unfinished.append(path.name)
        # Ignore inodes: network shares change them.
        files.append(
            (
                path.relative_to(folder).as_posix() if path != folder else path.name,
                stat.st_size,
                stat.st_mtime_ns,
                os.access(path, os.R_OK),
            )
        )
        # Not the time of the last write: a copy may keep that of its original.
        came = max(came, stat.st_ctime)
    return Delivery(
        folder,
        tuple(sorted(files)),
        dt.datetime.fromtimestamp(came, dt.UTC),
        _missing(folder, tuple(sorted(files)), unfinished, expected),
    )


def last_run(settings: Settings) -> LastRun | None:
    """The run that made the published list, None before the first; UserError for a broken list."""
    live = snapshots.current(settings.warehouse)
    if live is None:
        return None
    with snapshots.connect() as con:
        snapshots.attach(con, live, "live")
        con.execute("USE live")
        try:
            ((run_no, as_of),) = con.execute(
                "SELECT r.run_no, r.as_of FROM runs AS r ORDER BY r.run_no DESC LIMIT 1"
            ).fetchall()
            folder = history.extracts_folder(con)
            tables = con.execute(
                "SELECT t.table_name FROM run_tables AS t "
                "WHERE t.run_no = ? AND t.status = 'accepted'",
                [run_no],
            ).fetchall()
        except duckdb.Error as error:
            raise UserError(snapshots.damaged(live, error)) from None
    # A run started by the clock is for the second in which it began. One for a later moment has
    # read nothing that arrived after it was published.
    published_at = dt.datetime.fromtimestamp(live.stat().st_mtime, dt.UTC)
    return LastRun(
        Path(folder) if folder else None,
        as_of,
        min(as_of + dt.timedelta(seconds=1), published_at),
        frozenset(row[0] for row in tables) - settings.absent,
        published_at,
    )


def since(root: Path, last: LastRun | None) -> list[Path]:
    """The folder of the published list and later ones, oldest first; else only the newest."""
    found = folders(root)
    if last is None or last.folder is None:
        return [found[-1].resolve()]
    later: list[Path] = []
    for folder in reversed(found):  # ordered by their names here, not by what links lead to
        later.insert(0, folder.resolve())
        if later[0] == last.folder:
            return later
    if (
        last.folder.parent == root.resolve()
        and extracts_folder.is_dated(last.folder)
        and found != [root]
    ):  # the folder was removed
        later = [
            folder.resolve()
            for folder in found
            if extracts_folder.day_and_name(folder) > extracts_folder.day_and_name(last.folder)
        ]
        return later or [found[-1].resolve()]
    return later[-1:]


def _files(folder: Path) -> Iterator[Path]:
    """The files that `extracts.find` would read, and those that may become one."""
    if folder.is_file():
        yield folder
        return
    with suppress(OSError):  # find reports what is wrong with it
        for entry in os.scandir(folder):
            path = Path(entry.path)
            if not path.is_dir() or UNFINISHED.fullmatch(entry.name):
                yield path
            elif names.table_of(entry.name) is not None:
                yield from path.iterdir()


@lru_cache(maxsize=64)
def _contents(folder: Path, files: Files) -> extracts_folder.Folder | str:
    """What is in the folder, or why it is no delivery; `files` change whenever that may change.

    A zip or a workbook takes long to unpack, and a watch looks every few seconds.
    """
    try:
        with extracts_folder.opened(folder) as found:
            return found
    except UserError as error:
        return str(error)


def _missing(
    folder: Path, files: Files, unfinished: list[str], expected: frozenset[str]
) -> str | None:
    if unfinished:
        return f"{min(unfinished)} is still being written"
    found = _contents(folder, files)
    if isinstance(found, str):
        return found
    for table, row in found.manifest.items():
        # What an import holds is held for good: to wait would not complete it.
        if row.complete is False and row.note is None:
            return f"the manifest says that {table} is not complete"
        if table in contract.TABLES.keys() - found.files.keys() - found.absent:
            return f"{table} is in the manifest and not in the folder"
    missing = sorted(expected - found.files.keys()) if not found.manifest else []
    return (
        f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not there, "
        "which the run before had"
        if missing
        else None
    )
