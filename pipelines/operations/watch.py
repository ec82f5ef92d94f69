"""The pipeline as a service: run when a complete folder of extracts has arrived, and at set times.

The published list says what was run already, so restarting the watch loses nothing: it runs once
over the folder the list was made from and continues from there.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import UserError
from pipelines.extracts import folder as extracts_folder
from pipelines.operations import arrivals
from pipelines.operations.arrivals import Delivery, Files, LastRun
from pipelines.operations.logs import log
from pipelines.settings import ROOT, Settings
from pipelines.warehouse import undone
from pipelines.warehouse.undone import UndoneRun

AGAIN_AFTER = dt.timedelta(minutes=10)  # between two attempts over the same files


@dataclass(frozen=True)
class Habits:
    """When to run.

    `quiet` is how long a folder must not change, `patience` how long to wait for one that is not
    complete, `daily` holds local times of day.
    """

    quiet: dt.timedelta = dt.timedelta(seconds=60)
    patience: dt.timedelta = dt.timedelta(hours=2)
    daily: tuple[dt.time, ...] = ()


@dataclass(frozen=True)
class DueRun:
    """One run to start: its folder, its moment, and the reason in words."""

    folder: Path
    as_of: dt.datetime
    why: str


@dataclass(frozen=True)
class Seen:
    """A folder as it last changed, when that was noticed, and since when it keeps changing."""

    delivery: Delivery
    changed_at: dt.datetime
    changing_since: dt.datetime


@dataclass
class Watch:
    """What was seen so far; `due` says what to run, `done` records the outcome."""

    settings: Settings
    root: Path
    habits: Habits
    _seen: dict[Path, Seen] = field(default_factory=dict)
    _here: frozenset[Path] = frozenset()  # the folders found at the last look
    _ran: tuple[Path, Files] | None = None  # the last folder run, and its files then
    _failed: dict[Path, tuple[Files, dt.datetime]] = field(default_factory=dict)
    _speaks_for: dt.datetime | None = None  # as_of of the published list at the last look
    _said: dict[Path | str, str] = field(default_factory=dict)

    def due(self, now: dt.datetime) -> DueRun | None:
        """The run to start now, if any; `now` is aware, in the zone of the times of day."""
        try:
            last = arrivals.last_run(self.settings)
            expected = last.tables if last else frozenset()
            undone_runs = undone.read(self.settings.warehouse)
            found = [
                self._look(arrivals.look(place, expected), now)
                for place in arrivals.since(self.root, last)
            ]
        except (UserError, OSError) as error:  # a network share may go away at any time
            self._say(self.root, str(error), is_bad=True)
            return None
        self._said.pop(self.root, None)
        self._here = frozenset(delivery.folder for delivery in found)
        if last is None or self._speaks_for is not None and last.as_of < self._speaks_for:
            self._ran = None  # the list was removed, or an older one restored
        self._speaks_for = last.as_of if last else None
        ready = [
            delivery
            for delivery in found
            if self._ran != (delivery.folder, delivery.files)
            and not self._is_undone(delivery, undone_runs)
            and self._is_ready(delivery, now)
        ]
        if not ready:
            return self._daily(found, last, now)
        for passed in found[: found.index(ready[0])]:
            if last is None or passed.folder != last.folder:
                self._say(passed.folder, "skipped, because a later one has arrived", is_bad=True)
        return DueRun(
            ready[0].folder, self._moment(ready[0], last, now, is_newest=len(ready) == 1), "it came"
        )

    def done(self, run: DueRun, exit_code: int, now: dt.datetime) -> None:
        """Record the outcome of a run over the files seen at the last look before it."""
        files = self._seen[run.folder].delivery.files
        if exit_code == 0:
            self._ran = (run.folder, files) if run.folder in self._here else self._ran
            self._failed.pop(run.folder, None)
        else:
            self._failed[run.folder] = (files, now)

    def _look(self, delivery: Delivery, now: dt.datetime) -> Delivery:
        before = self._seen.get(delivery.folder)
        changing_since = now
        if before is not None:
            since = now - before.changed_at  # negative when the clock was set back
            if before.delivery.files == delivery.files and since >= dt.timedelta(0):
                return delivery
            if dt.timedelta(0) <= since < self.habits.quiet:
                changing_since = before.changing_since
        self._seen[delivery.folder] = Seen(delivery, now, changing_since)
        if before is None or changing_since != before.changing_since:
            self._said.pop(delivery.folder, None)
        return delivery

    def _is_ready(self, delivery: Delivery, now: dt.datetime) -> bool:
        """Quiet for long enough, complete or waited for long enough, and not just failed."""
        files, failed_at = self._failed.get(delivery.folder, (None, now))
        if files == delivery.files and dt.timedelta(0) <= now - failed_at < AGAIN_AFTER:
            return False
        seen = self._seen[delivery.folder]
        quiet = now - seen.changed_at
        if quiet < self.habits.quiet:
            if now - seen.changing_since >= self.habits.patience:
                self._say(
                    delivery.folder,
                    f"it has been changing since {seen.changing_since:%H:%M}; "
                    "still waiting for it to be quiet",
                    is_bad=True,
                )
            return False
        if delivery.missing is None:
            return True
        is_tired = quiet >= self.habits.patience
        will = (
            "waiting for it"
            if not is_tired
            else "it is run as it is"
            if delivery.files
            else "still waiting for it"
        )
        self._say(delivery.folder, f"{delivery.missing}; {will}", is_bad=is_tired)
        return is_tired and bool(delivery.files)

    def _is_undone(self, delivery: Delivery, undone_runs: Sequence[UndoneRun]) -> bool:
        if not delivery.is_undone(undone_runs):
            return False
        self._say(
            delivery.folder, "its run was undone; waiting until something changes", is_bad=True
        )
        return True

    def _daily(
        self, found: list[Delivery], last: LastRun | None, now: dt.datetime
    ) -> DueRun | None:
        """A run over the folder read last: tasks fall due by time alone."""
        days = (now - dt.timedelta(days=1), now)  # the last look may have been before midnight
        times = [
            time
            for day in days
            for at in self.habits.daily
            if (time := day.replace(hour=at.hour, minute=at.minute, second=0)) <= now
        ]
        if last is None or last.folder is None or not times or last.as_of >= max(times):
            return None
        delivery = next((delivery for delivery in found if delivery.folder == last.folder), None)
        if delivery is None and last.folder.is_dir():  # the last run read a folder elsewhere
            delivery = self._look(arrivals.look(last.folder, last.tables), now)
        if delivery is None:
            self._say(
                "daily",
                f"{last.folder} is no longer there to be run again, and nothing newer has arrived",
                is_bad=True,
            )
            return None
        if not self._is_ready(delivery, now):
            return None
        return DueRun(delivery.folder, now, f"the run of {max(times):%H:%M}")

    @staticmethod
    def _moment(
        delivery: Delivery, last: LastRun | None, now: dt.datetime, *, is_newest: bool
    ) -> dt.datetime:
        """Now for the newest folder, else when it was extracted, but not before the list."""
        if is_newest:
            return now
        try:
            taken = extracts_folder.moment_of(delivery.folder)
        except UserError:
            return now
        return min(now, max(taken, last.as_of) if last else taken)

    def _say(self, about: Path | str, what: str, *, is_bad: bool) -> None:
        """Log a message once, until it changes."""
        if self._said.get(about) != what:
            self._said[about] = what
            (log.warning if is_bad else log.info)(
                "%s: %s", about, what, extra={"event": "watch.waiting", "folder": str(about)}
            )


def watch(
    settings: Settings,
    root: Path,
    habits: Habits,
    every: float,
    clock: Callable[[], dt.datetime],
    before: Callable[[dt.datetime], bool] = lambda now: True,
) -> None:
    """Look every `every` seconds until the process is ended; a started run is finished first.

    `before` is called before each look, which it may spare; it imports what a source delivered.
    """
    watched = Watch(settings, root, habits)
    log.info("watching %s", root, extra={"event": "watch.began", "folder": str(root)})
    while True:
        due = watched.due(clock()) if before(clock()) else None
        if due is None:
            time.sleep(every)
            continue
        log.info(
            "running %s: %s",
            due.folder,
            due.why,
            extra={"event": "watch.run", "folder": str(due.folder), "as_of": due.as_of.isoformat()},
        )
        exit_code = _run(due)
        watched.done(due, exit_code, clock())
        if exit_code != 0:  # a killed run has logged nothing
            why = (
                f"was killed by signal {-exit_code}"
                if exit_code < 0
                else f"ended with code {exit_code}"
            )
            again = f"in {AGAIN_AFTER.seconds // 60} minutes, or when something in it changes"
            log.error(
                "%s: the run %s; again %s",
                due.folder,
                why,
                again,
                extra={"event": "watch.failed", "exit_code": exit_code},
            )


def _run(due: DueRun) -> int:
    """Start the run as a child process, which logs where this one does; its exit code."""
    command = [
        sys.executable,
        "-m",
        "pipelines",
        "run",
        "--extracts",
        str(due.folder),
        "--as-of",
        due.as_of.isoformat(),
    ]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        return process.wait()
