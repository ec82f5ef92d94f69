"""Refresh: the nightly run, started from the screen as the very command the schedule runs, while people go on working."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app_pages.session import commands, workspace
from pipelines.demo import build
from pipelines.errors import UserError
from pipelines.settings import Settings

STAGES = ("reading and staging", "asking the rules", "bringing tasks up to date", "publishing")


@dataclass
class Refresh:
    """One run of the pipeline in a process of its own; `stage` counts those of STAGES it has reached."""

    by: str
    stage: int = 0
    is_over: bool = False
    failed: str | None = None

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
            folder = build.extend(place.settings, at) if place.is_demo else place.settings.extracts
            if folder is None:
                raise UserError(
                    "Name the folder of the practice's extracts in WORKBENCH_EXTRACTS and start the workbench again."
                )
            threading.Thread(
                target=_run, args=(refresh, folder, place.settings, at.isoformat()), daemon=True
            ).start()
            return refresh


@st.cache_resource(show_spinner=False)
def refreshes() -> Refreshes:
    """This server's refreshes."""
    return Refreshes()


def _run(refresh: Refresh, folder: Path, settings: Settings, as_of: str) -> None:
    def hear(text: str) -> None:
        if text in STAGES:
            refresh.stage = STAGES.index(text) + 1

    refresh.failed = "It broke off."
    try:
        refresh.failed = commands.run(
            settings, ["run", "--extracts", str(folder), "--as-of", as_of], hear
        )
    finally:
        refresh.is_over = True
