"""Long work in child processes: at most one job of a kind at a time, its progress and its result.

A child logs JSON lines to standard error. A line with `share` (0 to 1) is progress, and the message
of an ERROR line is the reason of a failure. Lines that are not JSON are ignored. A Python function
is pickled to the child's standard input and its result from the child's standard output.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Generic, TypeVar

from pipelines.errors import UserError
from pipelines.operations import logs, permissions
from pipelines.operations.logs import log
from pipelines.settings import ROOT, Settings

T = TypeVar("T")
R = TypeVar("R")
STOPPED = "It was stopped."
GRACE_SECONDS = 10.0  # between asking a child to end and killing it
FAULT = "Something went wrong in the program. Tell whoever looks after the workbench."


@dataclass
class Job(Generic[T]):
    """Work of one thread, which any other thread may watch or stop.

    `work` gets this job and returns the result; a UserError from it says why there is none.
    `share` goes from 0 to 1. Once `is_over`, either `failed` or `result` is set.
    """

    by: str  # the name of the person who started it
    work: Callable[[Job[T]], T]
    share: float = 0.0
    doing: str = "Starting"
    is_over: bool = False
    failed: str | None = None
    result: T | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _is_stopped: bool = field(default=False, repr=False)
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Begin the work in a thread of its own."""
        threading.Thread(target=self._do, daemon=True).start()

    def stop(self) -> None:
        """End the work soon; it has then failed with STOPPED."""
        with self._lock:
            self._is_stopped = True
            child = self._child
        if child is not None:
            child.terminate()
            killer = threading.Timer(GRACE_SECONDS, child.kill)
            killer.daemon = True
            killer.start()

    def tell(self, share: float, doing: str) -> None:
        """Record the progress."""
        self.share, self.doing = min(max(share, 0.0), 1.0), doing

    def run_command(self, settings: Settings, arguments: Sequence[str]) -> None:
        """Run `python -m pipelines …` on this practice; UserError when it failed."""
        practice = {"WORKBENCH_DATA": str(settings.data), "WORKBENCH_LEDGER": settings.ledger_url}
        self._run_child(["pipelines", *arguments], practice)

    def call(self, function: Callable[..., R]) -> R:
        """Call a function in a child process with `tell`, its progress callback.

        The function, its bound arguments and its result must pickle; UserError when it failed.
        """
        with tempfile.TemporaryFile() as question, tempfile.TemporaryFile() as answer:
            pickle.dump(function, question)
            question.seek(0)
            self._run_child(["pipelines.operations.jobs"], {}, question, answer)
            answer.seek(0)
            result: R = pickle.load(answer)
            return result

    def _do(self) -> None:
        try:
            self.result = self.work(self)
        except UserError as error:
            self.failed = str(error)
        except Exception as error:  # noqa: BLE001 - the thread's last stop; the page shows the code
            log.error("a job failed", exc_info=error, extra={"event": "job.failed"})
            self.failed = f"Something went wrong. Its code in the log is {logs.code(error)}."
        finally:
            self.is_over = True

    def _run_child(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        question: IO[bytes] | int = subprocess.DEVNULL,
        answer: IO[bytes] | int = subprocess.DEVNULL,
    ) -> None:
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        try:
            with subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=question,
                stdout=answer,
                stderr=subprocess.PIPE,
                env={**os.environ, **environment, "WORKBENCH_LOG": "json", "PYTHONPATH": path},
            ) as child:
                with self._lock:
                    self._child = child
                    if self._is_stopped:
                        child.terminate()
                errors = self._listen(child.stderr or ())
        except OSError as error:
            raise UserError(f"It could not be started: {error.strerror}") from None
        finally:
            with self._lock:
                self._child = None
        if self._is_stopped:
            raise UserError(STOPPED)
        if child.returncode != 0:
            raise UserError(_failure(" ".join(arguments[:2]), child.returncode, errors))

    def _listen(self, lines: Iterable[bytes]) -> list[Entry]:
        """Take the child's progress until it ends; the errors it logged."""
        errors = []
        for line in lines:
            entry = _entry(line)
            if entry.share is not None:
                self.tell(entry.share, entry.message.removeprefix(f"{entry.share * 100:.0f}% "))
            elif entry.is_error:
                errors.append(entry)
        return errors


class JobSlot(Generic[T]):
    """Room for one job of a kind in this server; the last one stays in it when it is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.last: Job[T] | None = None

    @property
    def going(self) -> Job[T] | None:
        """The job that is going on."""
        last = self.last
        return last if last is not None and not last.is_over else None

    def start(self, job: Job[T]) -> Job[T]:
        """Start the job unless another one is going on; the one that is going on now."""
        with self._lock:
            if (going := self.going) is not None:
                return going
            self.last = job
            job.start()
            return job


@dataclass(frozen=True)
class Entry:
    """A line of a child's log; `share` is None unless it is progress, `where` is of an error."""

    message: str = ""
    share: float | None = None
    is_error: bool = False
    where: str = ""


def _entry(line: bytes) -> Entry:
    try:
        found = json.loads(line)
    except ValueError:
        return Entry()
    if not isinstance(found, dict):
        return Entry()
    share = found.get("share")
    return Entry(
        message=str(found.get("message", "")),
        share=float(share) if isinstance(share, (int, float)) else None,
        is_error=found.get("level") == "ERROR",
        where=str(found.get("where", "")),
    )


def _failure(what: str, exit_code: int, errors: Sequence[Entry]) -> str:
    """Why a child failed, in words for a page; it goes to this process's log as well."""
    why = " ".join(entry.message for entry in errors) or (
        f"It ended before it was done (signal {-exit_code})."
        if exit_code < 0
        else f"It ended with code {exit_code}."
    )
    where = "\n".join(entry.where for entry in errors if entry.where)
    log.error(
        "%s failed: %s",
        what,
        why,
        extra={"event": "command.failed", "exit_code": exit_code, "where": where},
    )
    return why


def _log_progress(share: float, doing: str) -> None:
    log.info("%s", doing, extra={"event": "job.progress", "share": share})


def _main() -> int:
    """The child: call the function on standard input and write its result to standard output."""
    permissions.begin()
    logs.begin("json")
    logs.catch_all()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # temporary folders are removed
    try:
        function = pickle.load(sys.stdin.buffer)
        with contextlib.redirect_stdout(sys.stderr):
            result = function(tell=_log_progress)
    except UserError as error:
        log.error("%s", error.args[0], extra={"event": "failed", "exit_code": error.exit_code})
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a traceback would quote patients' values
        log.error(FAULT, exc_info=error, extra={"event": "failed", "exit_code": 3})
        return 3
    sys.stdout.buffer.write(pickle.dumps(result))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(_main())
