"""Commands in child processes that a test can break; forked from one with all imports done."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "pipelines.cli.commands",
        "pipelines.cli.output",
        "pipelines.operations.arrivals",
        "pipelines.worklist.actions",
        "psycopg",
        "tests.faults.children",
    ]
)
WAITS = 60  # seconds

# Fails the n-th fsync or fdatasync of a process, in Python, DuckDB or SQLite.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int calls;
static int fails(void) {
    const char *at = getenv("FSYNC_FAILS_AT");
    if (!at || __sync_add_and_fetch(&calls, 1) != atoi(at)) return 0;
    (void)!write(2, "<the disk fails>\n", 17);
    errno = EIO;
    return 1;
}
int fsyncs_so_far(void) { return calls; }
int fsync(int fd) { int (*real)(int) = dlsym(RTLD_NEXT, "fsync"); return fails() ? -1 : real(fd); }
int fdatasync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    return fails() ? -1 : real(fd);
}
"""
FAILED = "<the disk fails>"
COUNT = "-1"  # fail none and print how many there were


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (a signal is negative) and what it printed."""

    code: int
    said: str


@dataclass
class Child:
    """A command that goes on, or stands still at `signalled`'s point."""

    _process: multiprocessing.process.BaseProcess
    _output: Path
    pid: int = field(init=False)

    def __post_init__(self) -> None:
        self.pid = self._process.pid

    def wait_until_stopped(self) -> None:
        """Until it has stopped itself."""
        until = time.monotonic() + WAITS
        while (
            Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
            != "T"
        ):
            assert time.monotonic() < until
            time.sleep(0.01)

    def end(self) -> Ended:
        """Wait for its end; no fault may end in a traceback."""
        self._process.join(WAITS)
        said = self._output.read_text(encoding="utf-8", errors="replace").strip()
        self._output.unlink()
        if self._process.exitcode is None:
            os.kill(self.pid, signal.SIGKILL)
            raise AssertionError(f"it did not end:\n{said}")
        assert "Traceback" not in said, said
        return Ended(self._process.exitcode, said)


def start(arguments: Sequence[str], at: tuple[str, int] | None = None, **environment: str) -> Child:
    """Start a command of `python -m pipelines`.

    At a point of a run it sends itself a signal: when the named stage begins, or "before/after
    the snapshot/pointer gets its name".
    """
    handle, output = tempfile.mkstemp()
    os.close(handle)
    process = _FORKS.Process(target=_command, args=(list(arguments), output, at, environment))
    process.start()
    return Child(process, Path(output))


def let_disks_fail(folder: Path) -> bool:
    """Make FSYNC_FAILS_AT work in children; False without a C compiler. Call before the first."""
    source, shim = folder / "fsync.c", folder / "fsync.so"
    source.write_text(SHIM, encoding="utf-8")
    try:
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-o", str(shim), str(source), "-ldl"],
            check=True,
            capture_output=True,
        )
    except OSError:
        return False
    os.environ["LD_PRELOAD"] = str(shim)
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        del os.environ["LD_PRELOAD"]
    return True


def _command(
    arguments: list[str], output: str, at: tuple[str, int] | None, environment: dict[str, str]
) -> None:
    handle = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    from pipelines.cli.commands import main

    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        del os.environ[name]
    os.environ.update(environment)
    if at is not None:
        _signal_oneself(*at)
    code = main(arguments)
    if environment.get("FSYNC_FAILS_AT") == COUNT:
        print(f"fsyncs: {ctypes.CDLL(None).fsyncs_so_far()}", flush=True)
    sys.exit(code)


def _signal_oneself(point: str, number: int) -> None:
    from pipelines.runs import run

    real_run, real_replace = run.run, os.replace

    def reach(here: str) -> None:
        if here == point:
            os.kill(os.getpid(), number)

    def run_told(
        settings: object, folder: object, as_of: object, tell: object, go_live: object = None
    ) -> object:
        def told(stage: str) -> None:
            tell(stage)
            reach(stage)

        return real_run(settings, folder, as_of, told, go_live)

    def replace(source: object, target: object) -> None:
        what = "pointer" if str(target).endswith("CURRENT") else "snapshot"
        reach(f"before the {what} gets its name")
        real_replace(source, target)
        reach(f"after the {what} gets its name")

    run.run, os.replace = run_told, replace
