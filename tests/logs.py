"""No log holds a patient's values: everything the tests logged is searched for their patients.

Searched are the log and standard error of each test and command, and the logs of all servers.
One find fails the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from pipelines.sample.people import FAMILY, GIVEN

# The sample's, the demo's and the benchmarks' patients.
_given, _family = ("|".join(map(re.escape, names)) for names in (GIVEN, FAMILY))
OF_SAMPLES = re.compile(
    rf"\b(?:{_given}) (?:{_family})\b|\b(?:{_family}), (?:{_given})\b"
    r"|patient\d+@example\.com|555-01\d{4}"
)
_of_practices: set[str] = set()
_said: list[tuple[str, str]] = []


def know(patient: Mapping[str, object]) -> None:
    """Remember a test's patient by its extract columns; one name alone could be any word."""
    first, last = (str(patient.get(name) or "") for name in ("first_name", "last_name"))
    if len(first) > 1 and len(last) > 1:
        _of_practices.update((f"{first} {last}", f"{last}, {first}"))


def heard(where: str, text: str) -> None:
    """What was logged or said as an error there."""
    if text:
        _said.append((where, text))


def _found(where: str, text: str) -> Iterator[str]:
    yield from (f"{where}: {match[0]}" for match in OF_SAMPLES.finditer(text))
    yield from (f"{where}: {name}" for name in sorted(_of_practices) if name in text)


class Search:
    """The plugin: workers search their tests' output, the main process collects the finds."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._found: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Once for each test, when it is over."""
        if report.when == "teardown" and not self._config.pluginmanager.hasplugin("dsession"):
            for title, text in report.sections:
                if title.startswith(("Captured stderr", "Captured log")):
                    heard(f"{report.nodeid}, {title}", text)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Take over what a worker found."""
        self._found += getattr(node, "workeroutput", {}).get("names_in_logs", [])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Search, and fail a run that had passed."""
        if not self._config.pluginmanager.hasplugin("dsession"):
            folder = session.config._tmp_path_factory.getbasetemp()
            for path in sorted(folder.rglob("*.log")):
                heard(str(path), path.read_text(encoding="utf-8", errors="replace"))
            self._found = list(
                dict.fromkeys(found for where, text in _said for found in _found(where, text))
            )
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["names_in_logs"] = self._found
        elif self._found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Where the names are."""
        if self._found:
            terminalreporter.section("patients' names in logs", red=True)
            for line in self._found:
                terminalreporter.write_line(line)
