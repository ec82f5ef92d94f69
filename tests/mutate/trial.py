"""Run a file's own tests over each of its mutants, each in a process forked from one pytest."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from pipelines import sql_files
from pipelines.rules import model
from tests.mutate.changes import Mutant

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60  # for one test; a mutant that takes longer loops and counts as killed
PER_PROCESS = 12  # mutants, where they can be tried one after the other

Batch = list[Mutant]


@dataclass(eq=False)  # pytest asks for the hash of its plugins
class Trial:
    """A pytest plugin that tries mutants instead of running the tests once."""

    path: Path
    mutants: Sequence[Mutant]
    jobs: int
    tell: Callable[[Mutant, str], None]  # of each mutant the test that killed it, "" if none did
    whole: bool = False  # also the tests that do whole runs
    likely: Mapping[Mutant, str] = field(default_factory=dict)  # the killers of an earlier run
    fault: str | None = None  # why the mutants could not be tried
    # The test that each mutant tried was killed by, "" if it survived.
    killers: dict[Mutant, str] = field(default_factory=dict)
    _failed: str | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Leave out the tests of whole runs; a survivor deserves a small test."""
        if not self.whole:
            session.items[:] = [
                item for item in session.items if "workbench" not in fixtures_of(item)
            ]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try the file as it is, then its mutants, `jobs` processes at a time."""
        at_once = 1 if self.whole or is_read_once(self.path) else PER_PROCESS
        gc.disable()  # a collection would copy every page that the processes share
        _rules_of(self.path)
        self._keep_readers(session)
        waiting: list[Batch] = [
            list(self.mutants[at : at + at_once])
            for at in range(0, 0 if self.fault else len(self.mutants), at_once)
        ]
        running: dict[int, tuple[Batch, int]] = {}
        while waiting or running:
            while waiting and len(running) < self.jobs:
                batch = waiting.pop(0)
                process, pipe = self._forked(session, batch)
                running[process] = batch, pipe
            process, status = os.wait()
            batch, pipe = running.pop(process)
            with os.fdopen(pipe, encoding="utf-8") as said:
                lines = said.read().splitlines()
            if len(lines) < len(batch) and os.waitstatus_to_exitcode(status) != -signal.SIGALRM:
                lost = batch[len(lines)]
                self.fault = f"line {lost.line}, {lost.change}: the tests ended by themselves"
                break
            left = self._judge(session, batch, lines)
            waiting = ([left] if left else []) + waiting
        return True

    def _keep_readers(self, session: pytest.Session) -> None:
        """Run the tests over the file as it is; keep those that read it, where each reads anew."""
        process, pipe = self._forked(session, None)
        with os.fdopen(pipe, encoding="utf-8") as said:
            failed, *readers = said.read().split("\n")
        os.waitpid(process, 0)
        if failed:
            self.fault = f"its tests fail without a change: {failed}"
        is_kept_text = is_read_once(self.path) or self.path.parent == ROOT / "rules"
        if not is_kept_text and any(readers):
            session.items[:] = [item for item in session.items if item.nodeid in readers]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure in the forked process."""
        if report.failed:
            self._failed = report.nodeid

    def _judge(self, session: pytest.Session, batch: Batch, killers: Sequence[str]) -> Batch:
        """Note what a process said of its mutants, a line each; those that it did not come to."""
        # A process that ends early was stopped by its alarm in the mutant after its last line.
        said = [*killers, "took too long"] if len(killers) < len(batch) else killers
        for mutant, killer in zip(batch, said, strict=False):
            self.killers[mutant] = killer
            self.tell(mutant, killer)
            session.items.sort(key=lambda item, killer=killer: item.nodeid != killer)
        return batch[len(said) :]

    def _forked(self, session: pytest.Session, batch: Batch | None) -> tuple[int, int]:
        """Start a process that tries a batch, or the file as it is; its id, and what it says."""
        reading, writing = os.pipe()
        process = os.fork()
        if process:
            os.close(writing)
            return process, reading
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            if batch is None:
                readers = self._run_noting_readers(session)
                os.write(writing, "\n".join([self._failed or "", *readers]).encode())
            text = self.path.read_text(encoding="utf-8")
            for mutant in batch or ():
                killer = self._killer(session, text, mutant)
                os.write(writing, f"{killer or ''}\n".encode())
        finally:
            os._exit(0)

    def _run_noting_readers(self, session: pytest.Session) -> list[str]:
        """Run all tests until one fails; those that read the file."""
        readers, read = [], sql_files.read
        paths: list[Path] = []

        def read_noting(path: Path) -> str:
            paths.append(path)
            return read(path)

        sql_files.read = read_noting  # type: ignore[assignment]
        for item in session.items:
            paths.clear()
            self._run(session, item)
            if self._failed:
                break
            if self.path in (path.resolve() for path in paths):
                readers.append(item.nodeid)
        return readers

    def _killer(self, session: pytest.Session, text: str, mutant: Mutant) -> str | None:
        """The first test that fails with this change."""
        substitute(self.path, mutant.applied_to(text))
        items, self._failed = list(session.items), None
        if is_evidence(text, mutant):
            items = [item for item in items if asks_for_evidence(item)] or items
        items.sort(key=lambda item: item.nodeid != self.likely.get(mutant))
        for item in items:
            self._run(session, item)
            if self._failed:
                # Neighbours are mostly killed by the same test.
                session.items.remove(item)
                session.items.insert(0, item)
                break
        return self._failed

    def _run(self, session: pytest.Session, item: pytest.Item) -> None:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        # The last argument keeps what the session's fixtures made, and nothing else.
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=session)


def fixtures_of(item: pytest.Item) -> Sequence[str]:
    """The names of the fixtures that a test uses."""
    return getattr(item, "fixturenames", ())


def asks_for_evidence(item: pytest.Item) -> bool:
    """Whether a test may ask why a task left: by `explains`, or by its own or its class's name."""
    return "explains" in fixtures_of(item) or "evidence" in item.nodeid.lower()


def is_evidence(text: str, mutant: Mutant) -> bool:
    """Whether the change is in a rule's evidence, which few tests ask for."""
    marker = model.EVIDENCE.search(text)
    return marker is not None and mutant.start > marker.start()


def is_read_once(path: Path) -> bool:
    """Whether fixtures of a whole session are made of this file, so that each mutant needs its own.

    Rules and most of the lifecycle are asked anew by each test.
    """
    if path.parent == ROOT / "pipelines" / "lifecycle":
        return path.stem.startswith("empty_") or path.stem == "subjects"
    return path.parent != ROOT / "rules"


_read = Path.read_text
_others: dict[Path, str] = {}


def _read_other(self: Path, *arguments: str, **options: str) -> str:
    for path, text in _others.items():
        if self.name == path.name and self.resolve() == path:
            return text
    return _read(self, *arguments, **options)


def substitute(path: Path, text: str) -> None:
    """Let whoever reads this file in this process get another text."""
    _others[path] = text
    Path.read_text = _read_other  # type: ignore[method-assign, assignment]
    sql_files.read.cache_clear()
    # Tests load the rules when they are imported.
    header = model.HEADER.match(text)
    if header is not None:
        parts = model.parts(text[header.end() :])
        for rule in _rules_of(path):
            for name, sql in parts._asdict().items():
                object.__setattr__(rule, name, sql)


@cache
def _rules_of(path: Path) -> list[model.Rule]:
    """Every copy of a rule in this process."""
    loaded = [found for found in gc.get_objects() if isinstance(found, model.Rule)]
    return [rule for rule in loaded if rule.path.resolve() == path]


def own_tests(path: Path) -> list[list[str]]:
    """The test files of a SQL file; the second list is for what survives the first."""
    folder, stem = path.parent, path.stem
    if folder == ROOT / "rules":
        return [_tests_of_rule(path)]
    tests = ROOT / "tests" / "unit" / folder.name
    found = [*map(str, sorted(tests.glob(f"test_{stem}*.py"))), str(tests)]
    if folder != ROOT / "pipelines" / "staging":
        return [found]
    readers = [
        rule
        for rule in sorted((ROOT / "rules").glob("*.sql"))
        if f"staging.{stem} " in rule.read_text(encoding="utf-8")
    ]
    of_readers = [test for rule in readers for test in _tests_of_rule(rule)]
    return [found, of_readers] if of_readers else [found]


def _tests_of_rule(path: Path) -> list[str]:
    found = (ROOT / "tests" / "rules").glob(f"test_{path.stem}*.py")
    # pending_signature's tests are not those of a rule whose name begins with it.
    others = [other.stem for other in path.parent.glob(f"{path.stem}_*.sql")]
    return sorted(
        str(test)
        for test in found
        if not any(test.stem.startswith(f"test_{other}") for other in others)
    )


def try_mutants(trial: Trial, tests: Sequence[str]) -> None:
    """Collect the tests and try the mutants; what happened stands in `trial`."""
    options = ["-q", "-n", "0", "-s", "-p", "no:cacheprovider"]
    options += ["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml")]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        pytest.main([*options, *tests], plugins=[trial])
    if not trial.killers and trial.fault is None:
        trial.fault = f"no mutant was tried\n{said.getvalue()}"
