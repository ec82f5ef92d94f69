"""The pipeline as a service: run when a whole folder of extracts has come, and at times of day.

What was run already is read from the published list, so a watch that is stopped and started loses nothing: it runs once over the folder
the list was made from and goes on from there.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pipelines import arrivals, extracts
from pipelines.arrivals import Arrival, LastRun
from pipelines.errors import UserError
from pipelines.logs import log
from pipelines.settings import ROOT, Settings

AGAIN_AFTER = dt.timedelta(minutes=10)  # between two tries of a run that failed over the same files


@dataclass(frozen=True)
class Habits:
    """When to run: `quiet` is how long a folder must not change, `patience` how long one that is not whole is waited for, `daily` wall times."""

    quiet: dt.timedelta = dt.timedelta(seconds=60)
    patience: dt.timedelta = dt.timedelta(hours=2)
    daily: tuple[dt.time, ...] = ()


@dataclass(frozen=True)
class Job:
    """One run to make: over which folder, for which moment, and why in words."""

    folder: Path
    as_of: dt.datetime
    why: str


@dataclass
class Watch:
    """What was seen so far; `due` says what to run, `done` takes what came of it."""

    settings: Settings
    root: Path
    habits: Habits
    _seen: dict[Path, tuple[Arrival, dt.datetime]] = field(default_factory=dict)  # each folder as it last changed, and when that was noticed
    _ran: dict[Path, tuple] = field(default_factory=dict)  # the files of each folder when it was run
    _failed: dict[Path, tuple[tuple, dt.datetime]] = field(default_factory=dict)
    _said: dict[object, str] = field(default_factory=dict)

    def due(self, now: dt.datetime) -> Job | None:
        """The run to make now, if any; `now` has the zone that times of day are meant in."""
        try:
            last = arrivals.last_run(self.settings)
            places = arrivals.since(self.root, last)
        except UserError as error:
            self._say(self.root, str(error), is_bad=True)
            return None
        self._said.pop(self.root, None)
        expected = last.tables if last else frozenset()
        found = [self._look(arrivals.look(place, expected), now) for place in places]
        ready = [arrival for arrival in found if self._ran.get(arrival.folder) != arrival.files and self._is_ready(arrival, now)]
        if not ready:
            return self._daily(found, last, now)
        for passed in found[: found.index(ready[0])]:
            if passed.folder not in self._ran and (last is None or passed.folder != last.folder):
                self._say(passed.folder, "passed over, since a later one is there", is_bad=True)
        return Job(ready[0].folder, self._moment(ready[0], last, now, is_newest=len(ready) == 1), "it came")

    def done(self, job: Job, exit_code: int, now: dt.datetime) -> None:
        """Remember what came of the run; what the folder held when it was looked at before the run is what was run."""
        files = self._seen[job.folder][0].files
        if exit_code == 0:
            self._ran[job.folder] = files
            self._failed.pop(job.folder, None)
        else:
            self._failed[job.folder] = (files, now)

    def _look(self, arrival: Arrival, now: dt.datetime) -> Arrival:
        before = self._seen.get(arrival.folder)
        if before is None or before[0].files != arrival.files:
            self._seen[arrival.folder] = (arrival, now)
            self._said.pop(arrival.folder, None)
        return arrival

    def _is_ready(self, arrival: Arrival, now: dt.datetime) -> bool:
        """Quiet for long enough, whole or waited for long enough, and not one that just failed."""
        files, failed_at = self._failed.get(arrival.folder, ((), now))
        if files == arrival.files and now - failed_at < AGAIN_AFTER:
            return False
        quiet = now - self._seen[arrival.folder][1]
        if quiet < self.habits.quiet:
            return False
        if arrival.lacks is None:
            return True
        is_tired = quiet >= self.habits.patience
        self._say(arrival.folder, f"{arrival.lacks}; {'it is run as it is' if is_tired else 'waiting for it'}", is_bad=is_tired)
        return is_tired

    def _daily(self, found: list[Arrival], last: LastRun | None, now: dt.datetime) -> Job | None:
        """The newest folder that was read, once more: tasks fall due by time alone."""
        times = [moment for moment in (now.replace(hour=at.hour, minute=at.minute, second=0) for at in self.habits.daily) if moment <= now]
        if last is None or last.folder is None or not times or last.as_of >= max(times):
            return None
        arrival = next((arrival for arrival in found if arrival.folder == last.folder), None)
        if arrival is None:
            self._say("daily", f"{last.folder} is no longer there to be run again, and nothing newer has come", is_bad=True)
            return None
        if not self._is_ready(arrival, now):
            return None
        return Job(arrival.folder, now, f"it is {max(times):%H:%M}")

    @staticmethod
    def _moment(arrival: Arrival, last: LastRun | None, now: dt.datetime, *, is_newest: bool) -> dt.datetime:
        """Now for the newest; for one that a newer follows when it was taken, but never before the list that is published."""
        if is_newest:
            return now
        try:
            taken = extracts.moment_of(arrival.folder)
        except UserError:
            return now
        return min(now, max(taken, last.as_of) if last else taken)

    def _say(self, about: object, what: str, *, is_bad: bool) -> None:
        """Once, until it is something else."""
        if self._said.get(about) != what:
            self._said[about] = what
            (log.warning if is_bad else log.info)("%s: %s", about, what, extra={"event": "watch.waiting", "folder": str(about)})


def watch(settings: Settings, root: Path, habits: Habits, every: float, clock: Callable[[], dt.datetime]) -> None:
    """Look every so many seconds until somebody ends it; a run that goes on then is finished first."""
    watched = Watch(settings, root, habits)
    log.info("watching %s", root, extra={"event": "watch.began", "folder": str(root)})
    while True:
        job = watched.due(clock())
        if job is None:
            time.sleep(every)
            continue
        log.info("running %s: %s", job.folder, job.why, extra={"event": "watch.run", "folder": str(job.folder), "as_of": job.as_of.isoformat()})
        watched.done(job, _run(job), clock())


def _run(job: Job) -> int:
    """The very command the schedule would run, in a process of its own, whose log is this one's: one that dies takes no watch with it."""
    command = [sys.executable, "-m", "pipelines", "run", "--extracts", str(job.folder), "--as-of", job.as_of.isoformat()]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": path}) as process:
        return process.wait()
