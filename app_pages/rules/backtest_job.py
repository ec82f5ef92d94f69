"""Backtests from the screen: each in a process of its own, one at a time in this server, while people go on working."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from app_pages.session import workspace
from pipelines.analytics import backtest_process
from pipelines.analytics.backtest import Comparison
from pipelines.errors import UserError
from pipelines.extracts import folder


@dataclass
class BacktestJob:
    """One backtest: who asked what, how far it is, and what it came to; `share` goes from 0 to 1."""

    by: str
    rule_id: str
    before: Mapping[str, object]
    changes: Mapping[str, object]
    folders: tuple[Path, ...]
    share: float = 0.0
    doing: str = "starting"
    is_over: bool = False
    failed: str | None = None
    found: Comparison | None = None
    _is_stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """It is not wanted any more; it ends with the day it is at."""
        self._is_stopped.set()

    def take_news(self, share: float, doing: str) -> None:
        """How far it is; UserError, which ends it, once it was stopped."""
        self.share, self.doing = share, doing
        if self._is_stopped.is_set():
            raise UserError("It was stopped.")


class BacktestSlot:
    """At most one at a time in this server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.last: BacktestJob | None = None

    @property
    def going(self) -> BacktestJob | None:
        """The one that is going on."""
        last = self.last
        return last if last is not None and not last.is_over else None

    def start(self, wanted: BacktestJob) -> None:
        """Begin it; UserError while another is going on."""
        with self._lock:
            if self.going is not None:
                raise UserError(
                    f"A backtest that {self.going.by} started is going on. Start yours when it is over."
                )
            self.last = wanted
            question = backtest_process.Question(
                workspace.workspace().settings, wanted.rule_id, wanted.changes, wanted.folders
            )
            threading.Thread(target=_run, args=(wanted, question), daemon=True).start()


@st.cache_resource(show_spinner=False)
def backtests() -> BacktestSlot:
    """This server's backtests."""
    return BacktestSlot()


def folders() -> tuple[Path, ...]:
    """The dated folders of past extracts at hand, in order."""
    root = _root()
    return tuple(folder.dated_folders(root)) if root is not None and root.is_dir() else ()


def why_no_folders() -> str:
    """What to do so that there are some."""
    root = _root()
    if root is None:
        return "No past extracts are at hand: name the folder they arrive in in WORKBENCH_EXTRACTS and start the workbench again."
    return f"No past extracts are at hand: {root} holds no dated sub-folder, such as 2026-11-20. Keep each day’s extracts in one of its own."


def _root() -> Path | None:
    place = workspace.workspace()
    return place.settings.data / "inbox" if place.is_demo else place.settings.extracts


def _run(wanted: BacktestJob, question: backtest_process.Question) -> None:
    wanted.failed = "It broke off."
    try:
        wanted.found = backtest_process.ask(question, wanted.take_news)
        wanted.failed = None
    except UserError as error:
        wanted.failed = str(error)
    finally:
        wanted.is_over = True
