"""What all tests share: a workbench in a folder of its own, driven through the command line."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType

import hypothesis
import pytest

from app_pages.session import clock
from pipelines import settings as settings_module
from pipelines.cli.commands import main
from pipelines.demo import build
from tests import logs, postgres_server
from tests.practice import Practice

hypothesis.settings.register_profile(
    "ci", derandomize=True, max_examples=100, deadline=None, database=None
)
hypothesis.settings.register_profile(
    "long", max_examples=2000, deadline=None, database=None, print_blob=True
)


# Folders that run only on demand: with --all, or when the command line names them.
OPT_IN = (
    "browser",
    "demo",
    "deploy",
    "faults",
    "lint",
    "postgres",
    "property",
    "reports",
    "scenarios",
    "security",
)
TESTS = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which folders to run, and how many random examples to draw."""
    parser.addoption("--all", action="store_true", help="run the opt-in folders too")
    parser.addoption("--opt-in", action="store_true", help="run the opt-in folders only")
    parser.addoption(
        "--profile",
        default="ci",
        choices=("ci", "long"),
        help="random examples: ci draws the same 100 each time, long draws 2,000 new ones",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the folders this run was not asked for."""
    if collection_path.parent != TESTS or not collection_path.is_dir():
        return None
    named = [(config.invocation_params.dir / name.split("::")[0]) for name in config.args]
    if any(path.resolve().is_relative_to(collection_path) for path in named):
        return None
    is_opt_in = collection_path.name in OPT_IN
    if config.getoption("--opt-in"):
        return None if is_opt_in else True
    return True if is_opt_in and not config.getoption("--all") else None


def pytest_configure(config: pytest.Config) -> None:
    """Set how many examples property tests draw, and search the logs of the run for patients."""
    hypothesis.settings.load_profile(config.getoption("--profile"))
    config.pluginmanager.register(logs.Search(config), "names in logs")


_done: dict[
    CodeType, tuple[Path, int]
] = {}  # what Workbench.once has done, and how many runs there were then


class Workbench:
    """The command line on its own data folder; `day` n is 2026-11-01 06:00 New York plus n days."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder, self.data, self.extracts = folder, folder / "data", folder / "extracts"
        self._capsys = capsys
        self._runs = 0
        monkeypatch.setenv("WORKBENCH_DATA", str(self.data))
        for name in ("WORKBENCH_EXTRACTS", "WORKBENCH_LEDGER", "WORKBENCH_SETTINGS"):
            monkeypatch.delenv(name, raising=False)

    @staticmethod
    def day(number: float) -> dt.datetime:
        return dt.datetime(2026, 11, 1, 11, 0, tzinfo=dt.UTC) + dt.timedelta(days=number)

    def command(self, *arguments: object) -> tuple[int, str, str]:
        """Exit code, output and errors of one command."""
        self._capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        logs.heard(
            f"{os.environ.get('PYTEST_CURRENT_TEST')}, standard error of {arguments[0]}",
            captured.err,
        )
        return code, captured.out, captured.err

    def run(
        self,
        practice: Practice | Path,
        day: float,
        *,
        manifest: bool = True,
        without: tuple[str, ...] = (),
    ) -> str:
        """Write the practice as known on that day and run over it; what the run printed."""
        folder = practice
        if isinstance(practice, Practice):
            self._runs += 1
            folder = practice.write(
                self.extracts / f"{self._runs:03d}",
                self.day(day) if manifest else None,
                without=without,
            )
        # Stories of several weeks may reach beyond the day on which the tests run.
        code, out, err = self.command(
            "run", "--extracts", folder, "--as-of", self.day(day).isoformat(), "--force"
        )
        assert code == 0, err
        return out

    def once(self, work: Callable[[], object]) -> None:
        """Do a fixture's work once per process; later tests copy its result."""
        if work.__code__ not in _done:
            work()
            kept = (
                self.folder / f"kept{len(_done)}"
            )  # pytest leaves a test's folder where it is until the next runs
            for part in (self.data, self.extracts):
                shutil.copytree(part, kept / part.name)
            _done[work.__code__] = (kept, self._runs)
            return
        kept, self._runs = _done[work.__code__]
        for part in (self.data, self.extracts):
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(kept / part.name, part)

    def tasks(self, day: float, status: str = "all", **filters: str) -> list[dict]:
        """The JSON of `tasks`."""
        options = [part for name, value in filters.items() for part in (f"--{name}", value)]
        code, out, err = self.command(
            "tasks",
            "--at",
            self.day(day).isoformat(),
            "--status",
            status,
            "--format",
            "json",
            *options,
        )
        assert code == 0, err
        return json.loads(out)

    def one(self, day: float, rule_id: str, subject_id: str, occurrence: int = 1) -> dict:
        """The one task of a rule, subject and occurrence."""
        wanted = (rule_id, subject_id, occurrence)
        found = [
            task
            for task in self.tasks(day)
            if (task["rule_id"], task["subject_id"], task["occurrence"]) == wanted
        ]
        assert len(found) == 1, f"{len(found)} tasks {wanted}"
        return found[0]

    def states(self, day: float, rule_id: str) -> dict[tuple[str, int], str]:
        """(subject, occurrence) → status, or how it was closed, of one rule's tasks."""
        return {
            (t["subject_id"], t["occurrence"]): t["close_kind"] or t["status"]
            for t in self.tasks(day)
            if t["rule_id"] == rule_id
        }

    def history(self, patient_id: str, day: float) -> list[dict]:
        """The JSON of `history`."""
        code, out, err = self.command(
            "history",
            "--patient",
            patient_id,
            "--at",
            self.day(day).isoformat(),
            "--format",
            "json",
        )
        assert code == 0, err
        return json.loads(out)

    def act(
        self, action: str, task: dict, day: float, *options: object, staff: str = "S1"
    ) -> tuple[int, str]:
        """Exit code and message of `act`."""
        code, out, err = self.command(
            "act",
            action,
            task["task_id"],
            "--staff",
            staff,
            "--at",
            self.day(day).isoformat(),
            *options,
        )
        return code, out + err


@pytest.fixture
def workbench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Workbench:
    """A workbench with an empty data folder."""
    return Workbench(tmp_path, monkeypatch, capsys)


@pytest.fixture
def practice() -> Practice:
    """A practice with one facility, two staff, one payer and no patients."""
    return Practice()


@pytest.fixture
def live(workbench: Workbench, practice: Practice) -> Workbench:
    """A workbench with a published list of one open Uncollected Payments task."""
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    workbench.once(lambda: workbench.run(practice, 1))
    return workbench


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo practice, built once: copy it before a server writes to it."""
    base = tmp_path_factory.getbasetemp()
    # The workers of one test run share it: whoever is first builds it, the others wait.
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    data = base / "demo" / "data"
    with open(base / "demo.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / "demo" / "built").exists():
            settings = build.settings_for(settings_module.load({"WORKBENCH_DATA": str(data)}))
            build.build(settings, lambda share, doing: None)
            build.begin_clock(settings, clock.machine_now())
            (base / "demo" / "built").touch()
    return data


def copy_data(data: Path, into: Path) -> Path:
    """A copy of a data folder that other workers may read meanwhile; where it is."""

    def copy(source: str, target: str) -> str:
        try:
            return shutil.copy2(source, target)
        except FileNotFoundError:
            # A reader of SQLite makes these two files and removes them when it ends.
            if not source.endswith(("-wal", "-shm")):
                raise
            return target

    return Path(shutil.copytree(data, into, copy_function=copy))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres_server.Server]:
    """This run's own PostgreSQL server; without one the test is skipped, and fails in CI."""
    found = postgres_server.programs()
    if found is None and "CI" in os.environ:
        pytest.fail(postgres_server.MISSING)
    if found is None:
        pytest.skip(postgres_server.MISSING)
    server = postgres_server.Server(found)
    yield server
    server.remove()


@pytest.fixture
def ledger_url(tmp_path: Path) -> str:
    """The URL of a new ledger; tests/postgres runs the same tests on PostgreSQL."""
    return f"sqlite:///{tmp_path}/ledger.sqlite"
