"""Refresh: the nightly run, started from the screen as the very command the schedule runs, while people go on working."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from app_pages.ui import workspace
from pipelines import demo
from pipelines.errors import UserError
from pipelines.settings import ROOT, Settings

STAGES = ("reading extracts", "staging", "asking the rules", "bringing tasks up to date", "publishing")


@dataclass
class Refresh:
    """One run of the pipeline in a process of its own; `stage` counts those of STAGES it has reached."""

    by: str
    stage: int = 0
    is_over: bool = False
    failed: str | None = None
    said: list[str] = field(default_factory=list)

    @property
    def doing(self) -> str:
        """What it is at, in words."""
        return STAGES[max(self.stage, 1) - 1]


class Refreshes:
    """At most one at a time in this server; another server's is refused by the pipeline's own lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.last: Refresh | None = None

    def start(self, by: str) -> Refresh:
        """Begin one, or join the one that is going on."""
        with self._lock:
            if self.last is not None and not self.last.is_over:
                return self.last
            place, at = workspace.workspace(), workspace.now()
            self.last = refresh = Refresh(by)
            folder = demo.extend(place.settings, at) if place.is_demo else place.settings.extracts
            if folder is None:
                raise UserError("Name the folder of the practice's extracts in WORKBENCH_EXTRACTS and start the workbench again.")
            threading.Thread(target=_run, args=(refresh, folder, place.settings, at.isoformat()), daemon=True).start()
            return refresh


@st.cache_resource(show_spinner=False)
def refreshes() -> Refreshes:
    """This server's refreshes."""
    return Refreshes()


def _run(refresh: Refresh, folder: Path, settings: Settings, as_of: str) -> None:
    environment = {
        **os.environ,
        "WORKBENCH_DATA": str(settings.data),
        "WORKBENCH_LEDGER": settings.ledger_url,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "pipelines", "run", "--extracts", str(folder), "--as-of", as_of]
    try:
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        ) as process:
            for line in process.stderr or ():
                text = line.strip()
                if text.startswith("… ") and text[2:] in STAGES:
                    refresh.stage = STAGES.index(text[2:]) + 1
                elif text:
                    refresh.said.append(text)
        if process.returncode != 0:
            refresh.failed = " ".join(refresh.said[-3:]) or f"The run ended with code {process.returncode}."
    except OSError as error:
        refresh.failed = f"The run could not be started: {error.strerror}"
    finally:
        refresh.is_over = True
