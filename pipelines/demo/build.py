"""The practice the app shows before anybody points it at real extracts: the sample, with five weeks of history and its people at work.

All of it lies in a folder of its own, so that it never mixes with a real practice. It is built beside that folder and moved there
by one rename, so that an interrupted build leaves nothing that could be taken for a finished one.
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

# More patients than data/sample has, so that several hundred tasks stay open although people work on them.
PATIENTS, FACILITIES, SEED = 900, 3, sample.DEFAULT_SEED
ZONE = ZoneInfo("America/New_York")
RUNS_AT = dt.time(6, 0)
FIRST_DAY, EVERY_DAY_SINCE, LAST_DAY = (
    dt.date(2026, 10, 19),
    dt.date(2026, 11, 9),
    dt.date(2026, 11, 20),
)
EARLIER_WEEKDAYS = (
    0,
    3,
)  # before that, a run on Mondays and Thursdays does: every run takes a second of the first start
START = dt.datetime(2026, 11, 20, 8, 30, tzinfo=ZONE)  # the demo's "now" when it is first shown
FIRST_RANDOM_PATIENT = str(sample.FIRST_NUMBER).zfill(ID_WIDTHS["patients"])
BUILT = "built"  # the last file written; it holds the layout of the snapshots, so that another version builds anew
WAIT_SECONDS, TRY_SECONDS = 600, 0.2
KEPT = 7  # deliveries in the inbox


def settings_for(settings: Settings) -> Settings:
    """The practice's settings with everything of the demo's own in data/demo; its choices of rules stay, but for payers the demo has not."""
    data = settings.data / "demo"
    return replace(
        settings,
        data=data,
        extracts=None,
        ledger_url=_ledger_url(data),
        rules=_rules_for_demo(settings.rules),
    )


def is_built(demo: Settings) -> bool:
    """Whether all runs and actions of the demo's history were finished, by a software that wrote such snapshots as this one reads."""
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
    """Write the demo's extracts as known at a moment (aware) into its inbox; the folder to run over."""
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
    """Let it be START in the demo at this moment (aware) of the machine's clock, unless the demo's clock goes already."""
    path = clock_file(demo)
    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".clock") as scratch:
            written = Path(scratch) / path.name
            written.write_text(str(round((START - machine_now).total_seconds())), encoding="utf-8")
            written.replace(
                path
            )  # nobody ever reads half a number; two sessions at once write the same one
    except OSError as error:
        raise UserError(f"{path}: the demo's clock cannot be written ({error.strerror})") from None


def _ledger_url(data: Path) -> str:
    return f"sqlite:///{data / 'ledger.sqlite'}"


def _rules_for_demo(chosen: Mapping[str, object]) -> dict[str, object]:
    """A practice's [rules] without its payers that the demo does not know: a run refuses names of payers that are not there."""
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
    """Hold the lock beside the demo's folder, waiting for another build to end; the lock dies with its process."""
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        lock = open(data.with_name(f".{data.name}.lock"), "w", encoding="utf-8")  # noqa: SIM115 - held open for the length of the build
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
                f"{data}: another process has been setting up the demo practice for {WAIT_SECONDS // 60} minutes; stop it and try again"
            )
        yield


def _live_through(demo: Settings, first_day: dt.date, tell: Callable[[float, str], None]) -> None:
    """Every working day: the run in the morning, where there is one, then what people do."""
    span = range((LAST_DAY - first_day).days + 1)
    days = [day for n in span if (day := first_day + dt.timedelta(days=n)).weekday() < 5]
    mornings = [day for day in days if day >= EVERY_DAY_SINCE or day.weekday() in EARLIER_WEEKDAYS]
    with ThreadPoolExecutor(max_workers=1) as writer:
        # What was known on a morning follows from that morning alone, so coming days are written while a run goes on.
        deliveries = {day: writer.submit(_deliver, demo, _morning(day)) for day in mornings}
        try:
            for number, day in enumerate(days):
                say = partial(_say, tell, number / len(days), day)
                if day in deliveries:
                    folder = deliveries[day].result()
                    run.run(demo, folder, _morning(day), say)
                    if day not in mornings[-KEPT:]:
                        shutil.rmtree(folder)
                say("people at work")
                _work(demo, day)
        finally:
            writer.shutdown(cancel_futures=True)
    tell(1.0, "the demo practice is ready")


def _say(tell: Callable[[float, str], None], share: float, day: dt.date, doing: str) -> None:
    tell(share, f"{day:%A, %B} {day.day}: {doing}")


def _work(demo: Settings, day: dt.date) -> None:
    """Record what people do on a day, until the moment the demo begins at."""
    with open_worklist(demo, _morning(day)) as listed:
        tasks = listed.tasks(filters.Filters(status="all"))
        people = People.of(listed.staff(), listed.facilities())
    # The written patients stay as data/README.md describes them.
    tasks = tasks[tasks["patient_id"] >= FIRST_RANDOM_PATIENT]
    seen = dict(zip(tasks["task_id"], tasks["last_seq"].astype(int), strict=True))
    with open_ledger(demo.ledger_url) as ledger:
        for together in _batches([new for new in actions_on(day, tasks, people) if new.at < START]):
            recorded, conflicts = ledger.record_many([(new, seen[new.task_id]) for new in together])
            if conflicts:
                raise conflicts[0]
            seen |= {action.task_id: action.seq for action in recorded}


def _batches(actions: list[NewAction]) -> Iterator[list[NewAction]]:
    """The actions in their order, cut where a task comes again: what is done to it then, builds on what was recorded."""
    batch: list[NewAction] = []
    for new in actions:
        if any(earlier.task_id == new.task_id for earlier in batch):
            yield batch
            batch = []
        batch.append(new)
    if batch:
        yield batch


def _morning(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, RUNS_AT, ZONE)


def _deliver(demo: Settings, as_of: dt.datetime) -> Path:
    """The folder in the inbox with the extracts as known at a moment, written when it is not there."""
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
            written.rename(folder)  # nobody ever reads half a delivery
        except OSError:
            if not folder.is_dir():  # another session may have asked for the same second
                raise
    return folder


def _put_in_place(beside: Path, data: Path) -> None:
    """Make the finished folder the demo's; the clock of one that was there goes on."""
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
