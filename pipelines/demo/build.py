"""The demo practice, shown until real extracts are named: the sample with five weeks of history.

It has a folder of its own, so that it never mixes with a real practice. It is built beside that
folder and moved there by one rename, so an interrupted build never looks finished.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines import sample
from pipelines.demo.staff import People, actions_on
from pipelines.errors import UserError
from pipelines.extracts import folder as extracts_folder
from pipelines.ledger.actions import NewAction
from pipelines.ledger.ledger import open_ledger
from pipelines.runs import run
from pipelines.sample.files import ID_WIDTHS
from pipelines.sample.practice import PAYERS
from pipelines.settings import Settings
from pipelines.worklist import filters, layout
from pipelines.worklist.worklist import open_worklist

# More patients than data/sample, so that several hundred tasks stay open while people work.
PATIENTS, FACILITIES, SEED = 900, 3, sample.DEFAULT_SEED
ZONE = ZoneInfo("America/New_York")
RUNS_AT = dt.time(6, 0)
FIRST_DAY, EVERY_DAY_SINCE, LAST_DAY = (
    dt.date(2026, 10, 19),
    dt.date(2026, 11, 9),
    dt.date(2026, 11, 20),
)
EARLIER_WEEKDAYS = (0, 3)  # Mondays and Thursdays: each run takes a second of the first start
START = dt.datetime(2026, 11, 20, 8, 30, tzinfo=ZONE)  # the demo's "now" when it is first shown
FIRST_RANDOM_PATIENT = str(sample.FIRST_NUMBER).zfill(ID_WIDTHS["patients"])
BUILT = "built"  # the last file written: the layout of the snapshots, as other versions rebuild
WAIT_SECONDS, TRY_SECONDS = 600, 0.2
KEPT = 7  # deliveries in the inbox


def settings_for(settings: Settings) -> Settings:
    """The practice's settings with the data, ledger and extracts of the demo in data/demo.

    The practice's choices of rules stay, except for payers that the demo does not have.
    """
    data = settings.data / "demo"
    return replace(
        settings,
        data=data,
        extracts=None,
        ledger_url=_ledger_url(data),
        rules=_rules_for_demo(settings.rules),
    )


def is_built(demo: Settings) -> bool:
    """Whether the demo's history was finished, with snapshots of the layout this version reads."""
    try:
        built_layout, _, built_sources = (demo.data / BUILT).read_text("utf-8").partition(" ")
        return (
            layout.is_current(built_layout, built_sources)
            and (demo.warehouse / "CURRENT").is_file()
        )
    except (OSError, UnicodeDecodeError):
        return False


def build(
    demo: Settings,
    tell: Callable[[float, str], None] = lambda share, doing: None,
    first_day: dt.date | None = None,
) -> None:
    """Build the demo's history from `first_day` (FIRST_DAY) on, unless it is there.

    One thread or process builds at a time; the others wait until it is done. `tell` gets the share
    that is done, from 0 to 1, and what is being done. UserError when it cannot be built.
    """
    beside = demo.data.with_name(f".{demo.data.name}.building")
    with _one_build_at_a_time(demo.data, tell):
        if is_built(demo):
            return
        try:
            if beside.exists():  # left behind by a build that was killed
                shutil.rmtree(beside)
            practice = replace(demo, data=beside, ledger_url=_ledger_url(beside))
            _live_through(practice, first_day or FIRST_DAY, tell)
            (beside / BUILT).write_text(f"{layout.current()} {layout.sources()}", encoding="utf-8")
            _put_in_place(beside, demo.data)
        except OSError as error:
            place = error.filename or demo.data
            raise UserError(
                f"The demo practice cannot be set up: {error.strerror}: {place}"
            ) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def extend(demo: Settings, as_of: dt.datetime) -> Path:
    """Write the demo's extracts as known at a moment (aware) to its inbox; returns their folder."""
    try:
        folder = _deliver(demo, as_of)
    except OSError as error:
        raise UserError(
            f"{demo.data}: the demo's extracts cannot be written ({error.strerror})"
        ) from None
    for old in extracts_folder.dated_folders(folder.parent)[:-KEPT]:
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def clock_file(demo: Settings) -> Path:
    """The file with the seconds by which the demo's clock is ahead of the machine's."""
    return demo.data / "clock"


def begin_clock(demo: Settings, machine_now: dt.datetime) -> None:
    """Start the demo's clock, unless it is started: START is at `machine_now` (aware)."""
    path = clock_file(demo)
    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".clock") as scratch:
            written = Path(scratch) / path.name
            written.write_text(str(round((START - machine_now).total_seconds())), encoding="utf-8")
            written.replace(path)  # atomic, as two sessions may write it at once
    except OSError as error:
        raise UserError(f"{path}: the demo's clock cannot be written ({error.strerror})") from None


def _ledger_url(data: Path) -> str:
    return f"sqlite:///{data / 'ledger.sqlite'}"


def _rules_for_demo(chosen: Mapping[str, object]) -> dict[str, object]:
    """A practice's [rules] without payers that the demo lacks, which a run would refuse."""
    known = {str(number).zfill(ID_WIDTHS["payers"]) for number in range(1, len(PAYERS))}
    found: dict[str, object] = {}
    for rule_id, wanted in chosen.items():
        if isinstance(wanted, Mapping) and isinstance(wanted.get("payers"), Mapping):
            wanted = {
                **wanted,
                "payers": {
                    payer_id: its for payer_id, its in wanted["payers"].items() if payer_id in known
                },
            }
        found[rule_id] = wanted
    return found


@contextmanager
def _one_build_at_a_time(data: Path, tell: Callable[[float, str], None]) -> Iterator[None]:
    """Hold the lock beside the demo's folder, after any other build; it ends with its process."""
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        path = data.with_name(f".{data.name}.lock")
        lock = open(path, "w", encoding="utf-8")  # noqa: SIM115 - open during the build
    except OSError as error:
        raise UserError(f"{data.parent}: cannot be written to ({error.strerror})") from None
    with lock:
        for _ in range(round(WAIT_SECONDS / TRY_SECONDS)):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                tell(0.0, "waiting for another session that is setting up the demo practice")
                time.sleep(TRY_SECONDS)
        else:
            raise UserError(
                f"{data}: another process has been setting up the demo practice for "
                f"{WAIT_SECONDS // 60} minutes; stop it and try again"
            )
        yield


def _live_through(demo: Settings, first_day: dt.date, tell: Callable[[float, str], None]) -> None:
    """Every working day: the run in the morning, where there is one, then what people do."""
    span = range((LAST_DAY - first_day).days + 1)
    days = [day for n in span if (day := first_day + dt.timedelta(days=n)).weekday() < 5]
    mornings = [day for day in days if day >= EVERY_DAY_SINCE or day.weekday() in EARLIER_WEEKDAYS]
    with ThreadPoolExecutor(max_workers=1) as writer:
        # Extracts depend on their morning alone, so later ones are written during a run.
        deliveries = {day: writer.submit(_deliver, demo, morning(day)) for day in mornings}
        try:
            for number, day in enumerate(days):
                say = partial(_say, tell, number / len(days), day)
                if day in deliveries:
                    folder = deliveries[day].result()
                    run.run(demo, folder, morning(day), _in_words(say))
                    if day not in mornings[-KEPT:]:
                        shutil.rmtree(folder)
                say("people at work")
                _work(demo, day)
        finally:
            writer.shutdown(cancel_futures=True)
    tell(1.0, "the demo practice is ready")


def _in_words(say: Callable[[str], None]) -> Callable[[str], None]:
    return lambda stage: say(run.STAGES[stage])


def _say(tell: Callable[[float, str], None], share: float, day: dt.date, doing: str) -> None:
    tell(share, f"{day:%A, %B} {day.day}: {doing}")


def _work(demo: Settings, day: dt.date) -> None:
    """Record what people do on a day, up to START."""
    with open_worklist(demo, morning(day)) as listed:
        tasks = listed.tasks(filters.Filters(status="all"))
        people = People.of(listed.staff(), listed.facilities())
    # The hand-written patients stay as data/README.md describes them.
    tasks = tasks[tasks["patient_id"] >= FIRST_RANDOM_PATIENT]
    seen = dict(zip(tasks["task_id"], tasks["last_seq"].astype(int), strict=True))
    with open_ledger(demo.ledger_url) as ledger:
        for together in _batches([new for new in actions_on(day, tasks, people) if new.at < START]):
            recorded, conflicts = ledger.record_many([(new, seen[new.task_id]) for new in together])
            if conflicts:
                raise conflicts[0]
            seen |= {action.task_id: action.seq for action in recorded}


def _batches(actions: list[NewAction]) -> Iterator[list[NewAction]]:
    """The actions in order, split where a task returns: its next action needs the recorded one."""
    batch: list[NewAction] = []
    for new in actions:
        if any(earlier.task_id == new.task_id for earlier in batch):
            yield batch
            batch = []
        batch.append(new)
    if batch:
        yield batch


def morning(day: dt.date) -> dt.datetime:
    """When the run of a day is made (aware)."""
    return dt.datetime.combine(day, RUNS_AT, ZONE)


def _deliver(demo: Settings, as_of: dt.datetime) -> Path:
    """The inbox folder with the extracts as known at a moment, written when it is missing."""
    folder = demo.data / "inbox" / f"{as_of.astimezone(ZONE):%Y-%m-%dT%H%M%S}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as scratch:
        written = Path(scratch) / folder.name
        sample.write_sample(
            written,
            patients=PATIENTS,
            facilities=FACILITIES,
            as_of=as_of,
            seed=SEED,
            format="parquet",
        )
        try:
            written.rename(folder)  # atomic: nobody reads half a delivery
        except OSError:
            if not folder.is_dir():  # another session may have asked for the same second
                raise
    return folder


def _put_in_place(beside: Path, data: Path) -> None:
    """Make the finished folder the demo's, and keep the clock of an earlier one."""
    if data.exists():
        old = data.with_name(f".{data.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if (data / "clock").is_file():
            shutil.copy(data / "clock", beside / "clock")
        data.rename(old)
        beside.rename(data)
        shutil.rmtree(old, ignore_errors=True)
    else:
        beside.rename(data)
