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

from pipelines.errors import UserError
from pipelines.extracts import folder as extracts_folder
from pipelines.operations import arrivals
from pipelines.operations.arrivals import Delivery, LastRun
from pipelines.operations.logs import log
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


@dataclass(frozen=True)
class Seen:
    """A folder as it last changed, when that was noticed, and since when it has not been quiet."""

    arrival: Delivery
    changed_at: dt.datetime
    restless_since: dt.datetime


@dataclass
class Watch:
    """What was seen so far; `due` says what to run, `done` takes what came of it."""

    settings: Settings
    root: Path
    habits: Habits
    _seen: dict[Path, Seen] = field(default_factory=dict)
    _here: frozenset[Path] = frozenset()  # what was found at the last look
    _ran: tuple[Path, tuple] | None = None  # the one of these that was run last, and its files then
    _failed: dict[Path, tuple[tuple, dt.datetime]] = field(default_factory=dict)
    _speaks_for: dt.datetime | None = None  # the published list, at the last look
    _said: dict[object, str] = field(default_factory=dict)

    def due(self, now: dt.datetime) -> Job | None:
        """The run to make now, if any; `now` has the zone that times of day are meant in."""
        try:
            last = arrivals.last_run(self.settings)
            expected = last.tables if last else frozenset()
            found = [
                self._look(arrivals.look(place, expected), now)
                for place in arrivals.since(self.root, last)
            ]
        except (UserError, OSError) as error:  # a share may go away at any time
            self._say(self.root, str(error), is_bad=True)
            return None
        self._said.pop(self.root, None)
        self._here = frozenset(arrival.folder for arrival in found)
        if last is None or self._speaks_for is not None and last.as_of < self._speaks_for:
            self._ran = None  # the list was taken away, or an older one was restored
        self._speaks_for = last.as_of if last else None
        ready = [
            arrival
            for arrival in found
            if self._ran != (arrival.folder, arrival.files) and self._is_ready(arrival, now)
        ]
        if not ready:
            return self._daily(found, last, now)
        for passed in found[: found.index(ready[0])]:
            if last is None or passed.folder != last.folder:
                self._say(passed.folder, "passed over, since a later one is there", is_bad=True)
        return Job(
            ready[0].folder, self._moment(ready[0], last, now, is_newest=len(ready) == 1), "it came"
        )

    def done(self, job: Job, exit_code: int, now: dt.datetime) -> None:
        """Remember what came of the run; what the folder held when it was looked at before the run is what was run."""
        files = self._seen[job.folder].arrival.files
        if exit_code == 0:
            self._ran = (job.folder, files) if job.folder in self._here else self._ran
            self._failed.pop(job.folder, None)
        else:
            self._failed[job.folder] = (files, now)

    def _look(self, arrival: Delivery, now: dt.datetime) -> Delivery:
        before = self._seen.get(arrival.folder)
        if (
            before is None or before.arrival.files != arrival.files or now < before.changed_at
        ):  # the last is a clock set back
            is_restless = (
                before is not None
                and dt.timedelta(0) <= now - before.changed_at < self.habits.quiet
            )
            self._seen[arrival.folder] = Seen(
                arrival, now, before.restless_since if is_restless else now
            )
            if not is_restless:
                self._said.pop(arrival.folder, None)
        return arrival

    def _is_ready(self, arrival: Delivery, now: dt.datetime) -> bool:
        """Quiet for long enough, whole or waited for long enough, and not one that just failed."""
        files, failed_at = self._failed.get(arrival.folder, (None, now))
        if files == arrival.files and dt.timedelta(0) <= now - failed_at < AGAIN_AFTER:
            return False
        seen = self._seen[arrival.folder]
        quiet = now - seen.changed_at
        if quiet < self.habits.quiet:
            if now - seen.restless_since >= self.habits.patience:
                self._say(
                    arrival.folder,
                    f"it has been changing since {seen.restless_since:%H:%M}; still waiting for it to be quiet",
                    is_bad=True,
                )
            return False
        if arrival.lacks is None:
            return True
        is_tired = quiet >= self.habits.patience
        will = (
            "waiting for it"
            if not is_tired
            else "it is run as it is"
            if arrival.files
            else "still waiting for it"
        )
        self._say(arrival.folder, f"{arrival.lacks}; {will}", is_bad=is_tired)
        return is_tired and bool(arrival.files)

    def _daily(self, found: list[Delivery], last: LastRun | None, now: dt.datetime) -> Job | None:
        """The newest folder that was read, once more: tasks fall due by time alone."""
        days = (
            now - dt.timedelta(days=1),
            now,
        )  # yesterday's, too: nobody looked just before midnight
        times = [
            time
            for day in days
            for at in self.habits.daily
            if (time := day.replace(hour=at.hour, minute=at.minute, second=0)) <= now
        ]
        if last is None or last.folder is None or not times or last.as_of >= max(times):
            return None
        arrival = next((arrival for arrival in found if arrival.folder == last.folder), None)
        if arrival is None and last.folder.is_dir():  # somebody ran one that lies elsewhere
            arrival = self._look(arrivals.look(last.folder, last.tables), now)
        if arrival is None:
            self._say(
                "daily",
                f"{last.folder} is no longer there to be run again, and nothing newer has come",
                is_bad=True,
            )
            return None
        if not self._is_ready(arrival, now):
            return None
        return Job(arrival.folder, now, f"the run of {max(times):%H:%M}")

    @staticmethod
    def _moment(
        arrival: Delivery, last: LastRun | None, now: dt.datetime, *, is_newest: bool
    ) -> dt.datetime:
        """Now for the newest; for one that a newer follows when it was taken, but never before the list that is published."""
        if is_newest:
            return now
        try:
            taken = extracts_folder.moment_of(arrival.folder)
        except UserError:
            return now
        return min(now, max(taken, last.as_of) if last else taken)

    def _say(self, about: object, what: str, *, is_bad: bool) -> None:
        """Once, until it is something else."""
        if self._said.get(about) != what:
            self._said[about] = what
            (log.warning if is_bad else log.info)(
                "%s: %s", about, what, extra={"event": "watch.waiting", "folder": str(about)}
            )


def watch(
    settings: Settings, root: Path, habits: Habits, every: float, clock: Callable[[], dt.datetime]
) -> None:
    """Look every so many seconds until somebody ends it; a run that goes on then is finished first."""
    watched = Watch(settings, root, habits)
    log.info("watching %s", root, extra={"event": "watch.began", "folder": str(root)})
    while True:
        job = watched.due(clock())
        if job is None:
            time.sleep(every)
            continue
        log.info(
            "running %s: %s",
            job.folder,
            job.why,
            extra={"event": "watch.run", "folder": str(job.folder), "as_of": job.as_of.isoformat()},
        )
        exit_code = _run(job)
        watched.done(job, exit_code, clock())
        if exit_code != 0:  # one that was killed has said nothing
            why = (
                f"was killed by signal {-exit_code}"
                if exit_code < 0
                else f"ended with code {exit_code}"
            )
            again = f"in {AGAIN_AFTER.seconds // 60} minutes, or when something in it changes"
            log.error(
                "%s: the run %s; again %s",
                job.folder,
                why,
                again,
                extra={"event": "watch.failed", "exit_code": exit_code},
            )


def _run(job: Job) -> int:
    """The very command the schedule would run, in a process of its own, whose log is this one's: one that dies takes no watch with it."""
    command = [
        sys.executable,
        "-m",
        "pipelines",
        "run",
        "--extracts",
        str(job.folder),
        "--as-of",
        job.as_of.isoformat(),
    ]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        return process.wait()
