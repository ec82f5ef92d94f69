"""The command line, run by the server in a process of its own: what takes long or may die takes no session with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from pipelines.operations.logs import log
from pipelines.settings import ROOT, Settings


def run(settings: Settings, arguments: Sequence[str], hear: Callable[[str], None]) -> str | None:
    """Run `python -m pipelines …` on this practice and wait; `hear` gets each line of its progress. Why it failed, or None."""
    environment = {
        **os.environ,
        "WORKBENCH_DATA": str(settings.data),
        "WORKBENCH_LEDGER": settings.ledger_url,
        "WORKBENCH_LOG": "text",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "pipelines", *arguments]
    said: list[str] = []
    try:
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        ) as process:
            for line in process.stderr or ():
                text = line.strip()
                if text.startswith("… "):
                    hear(text[2:])
                elif text.startswith("error: "):
                    said.append(text[7:])
    except OSError as error:
        return f"It could not be started: {error.strerror}"
    if process.returncode == 0:
        return None
    log.error(
        "%s",
        " ".join([arguments[0], "failed:", *said]),
        extra={"event": "command.failed", "exit_code": process.returncode},
    )
    return " ".join(said) or f"It ended with code {process.returncode}."
