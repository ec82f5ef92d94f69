"""A practice with actions and a next extract, what a fault may leave, and the table of faults."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipelines import settings as settings_module
from pipelines.ledger.actions import Action, NewAction
from pipelines.ledger.ledger import open_ledger
from pipelines.runs import run
from pipelines.settings import ROOT, Settings
from pipelines.warehouse import snapshots
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import open_worklist
from tests.conftest import Workbench
from tests.faults import children
from tests.practice import Practice

HEAD = "| fault | what was done | said | exit | afterwards |\n|---|---|---|---|---|\n"
CACHE = ROOT / ".cache"
# All rows of one test run, of whichever of its workers.
THIS_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}"
LATER = Workbench.day(3)  # when everybody looks


@dataclass
class Place:
    """A data folder with the list of day 1, actions on it, and an extract of day 2."""

    settings: Settings
    next_extract: Path
    actions: list[Action]
    list_before: str
    list_after: str

    @property
    def next_run(self) -> tuple[str, ...]:
        """The command of the next run."""
        return "run", "--extracts", str(self.next_extract), "--as-of", Workbench.day(2).isoformat()

    def start(self, *arguments: str, **more: object) -> children.Child:
        """A command that goes on; `more` is for children.start."""
        return children.start(
            arguments,
            WORKBENCH_DATA=str(self.settings.data),
            WORKBENCH_LEDGER=self.settings.ledger_url,
            **more,
        )

    def command(self, *arguments: str, **more: object) -> children.Ended:
        """A command and how it ended."""
        return self.start(*arguments, **more).end()

    def act(self, action: str, task_id: str, *options: str, **more: object) -> children.Ended:
        """A member of staff acts on a task on day 1.5."""
        return self.command(
            "act",
            action,
            task_id,
            "--staff",
            "S1",
            "--at",
            Workbench.day(1.5).isoformat(),
            *options,
            **more,
        )

    def open_tasks(self) -> list[str]:
        """The ids of the tasks that can be acted on."""
        with open_worklist(self.settings, LATER) as worklist:
            return worklist.tasks(Filters("open"))["task_id"].tolist()

    def tasks_and_states(self) -> list[tuple[str, str]]:
        """Every task and how it stands."""
        with open_worklist(self.settings, LATER) as worklist:
            return sorted(
                worklist.tasks(Filters("all"))[["task_id", "status"]].itertuples(
                    index=False, name=None
                )
            )

    def listing(self) -> str:
        """All there is to see of the list: every task with every column."""
        return listing(self.settings)

    def recorded(self) -> list[Action]:
        """All actions in the ledger."""
        with open_ledger(self.settings.ledger_url) as ledger:
            return ledger.actions()

    def check(self) -> str:
        """Fail unless a whole list is shown and no action was lost; which list it is, in words."""
        assert self.recorded()[: len(self.actions)] == self.actions
        shown = self.listing()
        assert shown in (self.list_before, self.list_after), "something half is shown"
        return "the list before, whole" if shown == self.list_before else "the new list, whole"

    def check_next_run(self) -> None:
        """Fail unless the next run works as usual and leaves nothing of the broken one behind."""
        if self.listing() == self.list_before:
            child = self.command(*self.next_run)
            assert child.code == 0, child.said
        assert self.listing() == self.list_after
        assert self.recorded()[: len(self.actions)] == self.actions
        assert list(self.settings.warehouse.glob(".*.building")) == []


def listing(settings: Settings) -> str:
    """Every task of a practice with every column, as all see it later."""
    with open_worklist(settings, LATER) as worklist:
        return worklist.tasks(Filters("all")).to_csv(index=False)


@pytest.fixture(scope="session", autouse=True)
def disks_can_fail(tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Whether a child's fsync can be made to fail: that needs a C compiler."""
    return children.let_disks_fail(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, disks_can_fail: bool) -> Place:
    """A practice on its second day, made once: people have acted, the next extract is there."""
    folder = tmp_path_factory.mktemp("faults")
    settings = settings_module.load({"WORKBENCH_DATA": str(folder / "data")})
    practice = Practice()
    for number in range(12):
        practice.patient(f"A{number}").visit(
            f"V{number}", f"A{number}", "2026-10-30T09:00:00", amount_due="40.00"
        )
        practice.document(
            f"D{number}", f"A{number}", started_at="2026-10-20T09:00:00", last_editor_id="S2"
        )
    run.run(settings, practice.write(folder / "1", Workbench.day(1)), Workbench.day(1))
    practice.payment("P0", "A0", "2026-10-30", "40.00").patient("B").visit(
        "VB", "B", "2026-11-01T09:00:00", amount_due="25.00"
    )
    next_extract = practice.write(folder / "2", Workbench.day(2))
    place = Place(settings, next_extract, [], "", "")
    with open_worklist(settings, LATER) as worklist:
        ids = worklist.tasks(Filters(rule_ids=("uncollected_payments",)))["task_id"].tolist()[-3:]
    with open_ledger(settings.ledger_url) as ledger:
        ledger.record_many([(new, 0) for new in first_actions(ids)])
        place.actions = ledger.actions()
    place.list_before = place.listing()
    shutil.copytree(settings.data, folder / "other")
    elsewhere = settings_module.load({"WORKBENCH_DATA": str(folder / "other")})
    run.run(elsewhere, next_extract, Workbench.day(2))
    place.list_after = listing(elsewhere)
    assert place.list_before != place.list_after
    return place


def first_actions(ids: list[str]) -> list[NewAction]:
    """A completion, a note and a deferral."""
    at = Workbench.day(1.2)
    return [
        NewAction(ids[0], "complete", "S1", at, reason="Paid by cheque", is_override=True),
        NewAction(ids[1], "note", "S2", at, reason="Called"),
        NewAction(ids[2], "defer", "S1", at, until=at + dt.timedelta(days=7)),
    ]


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    """A copy of it for a test."""
    return copy_of(made, tmp_path)


def copy_of(made: Place, folder: Path) -> Place:
    """The same practice in another folder."""
    shutil.copytree(made.settings.data, folder / "data")
    return replace(made, settings=settings_module.load({"WORKBENCH_DATA": str(folder / "data")}))


@pytest.fixture
def small_disk(place: Place, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Puts the data folder on a tmpfs of a size; where that is not allowed the test is skipped."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)

    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            "a small file system cannot be mounted here: that needs root"
        )
    try:
        shutil.copytree(place.settings.data, disk / "data")
        shutil.rmtree(place.settings.data)
        place.settings.data.symlink_to(disk / "data")
        yield resize
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def used_kb(place: Place) -> int:
    found = os.statvfs(place.settings.data)
    return (found.f_blocks - found.f_bfree) * found.f_frsize // 1024


@pytest.fixture
def seen(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Records a row of the table: fault, action, message, exit code and state afterwards."""
    folder = CACHE / "faults" / THIS_RUN

    def write(fault: str, done: str, said: str, code: object, afterwards: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Scratch folders and numbers of processes are of this run only.
        words = (
            said.replace(str(request.getfixturevalue("tmp_path")), "…")
            .replace("|", "\\|")
            .splitlines()
        )
        row = [fault, done, words[-1] if words else "–", str(code), afterwards]
        name = request.node.name.replace("/", " ")
        with open(folder / f"{request.path.stem} {name}.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    return write


def pytest_sessionfinish() -> None:
    """Join the rows of all workers so far into .cache/faults.md; the last table is complete."""
    rows = [
        json.loads(line)
        for file in sorted((CACHE / "faults" / THIS_RUN).glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    if rows:
        unfinished = CACHE / f"faults.{os.getpid()}.md"
        unfinished.write_text(
            HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows), encoding="utf-8"
        )
        os.replace(unfinished, CACHE / "faults.md")
    for other in (CACHE / "faults").glob("*"):
        if other.name != THIS_RUN:
            shutil.rmtree(other, ignore_errors=True)


def snapshot_of(place: Place) -> Path:
    """The live snapshot's file."""
    path = snapshots.current(place.settings.warehouse)
    assert path is not None
    return path
