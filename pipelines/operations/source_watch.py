"""Import each whole delivery of a source as it comes, into dated folders that the watch runs.

A delivery is a folder, a zip, a workbook, or the files of one day in their names. What was taken is
noted beside the source, so that a restart imports nothing twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import UserError
from pipelines.extracts.unpack import is_packed
from pipelines.operations import arrivals
from pipelines.operations.logs import log
from pipelines.operations.watch import AGAIN_AFTER
from pipelines.settings import Settings
from pipelines.sources import delivery, importing, mapping

TAKEN = "taken.json"
KEPT = 7  # folders of imported extracts, as many as snapshots
FOLDER = "extracts"
IMPORTING = ".importing"  # an import under way, or the last one that failed


@dataclass(frozen=True)
class Found:
    """A delivery in the drop folder: its name, its files, and what they looked like."""

    name: str
    paths: tuple[Path, ...]
    state: str
    day: dt.date
    is_unfinished: bool


@dataclass
class SourceWatch:
    """What was seen of a drop folder; `take` imports what is whole and was not taken yet."""

    settings: Settings
    source: str
    drop: Path
    quiet: dt.timedelta
    _seen: dict[str, tuple[str, dt.datetime]] = field(default_factory=dict)
    _failed: dict[str, tuple[str, dt.datetime]] = field(default_factory=dict)
    _said: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The folder of the source: its mapping, its store, its extracts."""
        return self.settings.sources / self.source

    @property
    def extracts(self) -> Path:
        """Where the imported extracts lie, a dated folder a delivery; it is made if need be."""
        folder = self.home / FOLDER
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def take(self, now: dt.datetime) -> bool:
        """Import the whole deliveries, oldest first; whether there are extracts to look at.

        One that fails is tried again later, or when it changes.
        """
        self._take(now)
        return any(entry.is_dir() for entry in self.extracts.glob("[0-9]*"))

    def _take(self, now: dt.datetime) -> None:
        try:
            found = sorted(deliveries(self.drop), key=lambda one: (one.day, one.name))
            taken = _taken(self.home)
        except (UserError, OSError) as error:  # a network share may go away at any time
            self._say(str(self.drop), str(error))
            return
        for one in found:
            if taken.get(one.name) == one.state or not self._is_whole(one, now):
                continue
            if self._import(one):
                taken[one.name] = one.state
                _note(self.home, taken)
            else:
                self._failed[one.name] = (one.state, now)

    def _is_whole(self, one: Found, now: dt.datetime) -> bool:
        state, since = self._seen.get(one.name, ("", now))
        if state != one.state or one.is_unfinished or now < since:
            self._seen[one.name] = (one.state, now)
            return False
        failed, at = self._failed.get(one.name, ("", now))
        if failed == one.state and dt.timedelta(0) <= now - at < AGAIN_AFTER:
            return False
        return now - since >= self.quiet

    def _import(self, one: Found) -> bool:
        """Import a delivery; False when it failed, perhaps for now: a full disk, a busy store."""
        try:
            source = mapping.load(self.source, self.settings.sources)
            # What a failed import wrote stays for whoever reads the reasons in its manifest.
            out = self.home / IMPORTING
            shutil.rmtree(out, ignore_errors=True)
            with as_folder(self.drop, one) as folder:
                home, max_loss = self.settings.sources, self.settings.max_loss
                request = importing.Request(source, folder, out, None, home, max_loss=max_loss)
                done = importing.import_delivery(request)
            target = self.extracts / f"{done.extracted_at:%Y-%m-%dT%H%M%SZ}"
            if target.exists():
                shutil.rmtree(target)
            os.replace(out, target)
        except UserError as error:
            again = f"again in {AGAIN_AFTER.seconds // 60} minutes, or when it changes"
            self._say(one.name, f"{error}; {again}")
            return False
        log.info(
            "%s: %s rows imported, %s tables held",
            one.name,
            f"{sum(done.rows.values()):,}",
            len(done.held),
            extra={"event": "watch.imported", "folder": str(target)},
        )
        for table, why in done.held.items():
            self._say(f"{one.name}, {table}", f"held: {why}")
        for old in sorted(entry for entry in self.extracts.iterdir() if entry.is_dir())[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
        return True

    def _say(self, about: str, what: str) -> None:
        """Log a message once, until it changes."""
        if self._said.get(about) != what:
            self._said[about] = what
            log.warning("%s: %s", about, what, extra={"event": "watch.waiting", "folder": about})


def deliveries(drop: Path) -> Iterator[Found]:
    """The deliveries of a drop folder; loose files of one day in their names are one of them."""
    try:
        entries = sorted(entry for entry in drop.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise UserError(f"{drop}: cannot be listed ({error.strerror})") from None
    loose: dict[str, list[Path]] = {}
    for entry in entries:
        if entry.is_dir() or is_packed(entry):
            yield _found(entry.name, [entry])
        else:
            day = delivery.day_in(entry.name)
            loose.setdefault(str(day) if day else "loose files", []).append(entry)
    for name, paths in loose.items():
        yield _found(name, paths)


def _found(name: str, paths: list[Path]) -> Found:
    files = [
        file
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.is_file()
    ]
    stats = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    newest = max((file.stat().st_mtime for file in files), default=0.0)
    day = delivery.day_in(name) or dt.datetime.fromtimestamp(newest, dt.UTC).date()
    return Found(
        name,
        tuple(paths),
        hashlib.sha256(repr(stats).encode()).hexdigest(),
        day,
        not files or any(arrivals.UNFINISHED.fullmatch(file.name) for file in files),
    )


def forget(home: Path, delivery_name: str) -> None:
    """Let the watch import a delivery once more; nothing happens where it did not take it yet."""
    taken = _taken(home)
    if taken.pop(delivery_name, None) is not None:
        _note(home, taken)


def _taken(home: Path) -> dict[str, str]:
    """What the watch took from the drop folder: the state of each delivery by its name."""
    path = home / TAKEN
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError):
        raise UserError(f"{path}: cannot be read; remove it to begin anew") from None


def _note(home: Path, taken: dict[str, str]) -> None:
    unfinished = home / f".{TAKEN}.building"
    unfinished.write_text(json.dumps(taken, indent=1) + "\n", encoding="utf-8")
    os.replace(unfinished, home / TAKEN)


@contextmanager
def as_folder(drop: Path, one: Found) -> Iterator[Path]:
    """A delivery as one path: itself, or a folder of links to the loose files of a day."""
    if len(one.paths) == 1 and (one.paths[0].is_dir() or is_packed(one.paths[0])):
        yield one.paths[0]
        return
    with tempfile.TemporaryDirectory(prefix="workbench-drop-") as name:
        folder = Path(name, one.name)
        folder.mkdir()
        for path in one.paths:
            (folder / path.name).symlink_to(path.resolve())
        yield folder
