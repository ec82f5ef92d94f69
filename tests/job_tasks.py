"""Functions that tests run as jobs: a child process imports them by this module's name."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipelines.errors import UserError

Tell = Callable[[float, str], None]


def double(number: int, *, tell: Tell) -> int:
    """Report two steps and print something, then return twice the number."""
    tell(0.25, "25% of the patients")
    print("printed")
    sys.stderr.write("not a log line\n")
    tell(0.5, "Monday, November 2")
    return 2 * number


def refuse(*, tell: Tell) -> None:
    """Fail for a reason meant for a person."""
    raise UserError("/x/2026-11-02: no such folder")


def break_down(*, tell: Tell) -> None:
    """Fail for a reason that quotes a patient."""
    raise KeyError("Ana Test")


def die(*, tell: Tell) -> None:
    """End as a process that the system kills for want of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def wait(folder: Path, *, tell: Tell) -> None:
    """Go on for five minutes, with a file in the folder until then."""
    (folder / "going").touch()
    tell(0.1, "waiting")
    try:
        time.sleep(300)
    finally:
        (folder / "going").unlink()
