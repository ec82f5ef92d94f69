"""Reports made from the screen, by the command line, one at a time in this server; what was made stays in memory, not on a disk."""

from __future__ import annotations

import datetime as dt
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from app_pages.session import commands, workspace
from pipelines import reports
from pipelines.errors import UserError
from pipelines.settings import Settings


@dataclass
class Making:
    """One report being made, or made: who asked for what, how far it is, and the files by name."""

    by: str
    query: Mapping[
        str, object
    ]  # of the page, so that a report is shown with the choices it was made for
    share: float = 0.0
    doing: str = "starting"
    is_over: bool = False
    failed: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


class Makings:
    """At most one at a time in this server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.last: Making | None = None

    @property
    def going(self) -> Making | None:
        """The one that is going on."""
        last = self.last
        return last if last is not None and not last.is_over else None

    def start(self, wanted: Making, arguments: list[str]) -> None:
        """Begin it; UserError while another is going on."""
        with self._lock:
            if self.going is not None:
                raise UserError(
                    f"A report that {self.going.by} asked for is being made. Ask for yours when it is done."
                )
            self.last = wanted
            threading.Thread(
                target=_run, args=(wanted, workspace.workspace().settings, arguments), daemon=True
            ).start()


@st.cache_resource(show_spinner=False)
def makings() -> Makings:
    """This server's reports."""
    return Makings()


def arguments(
    report: str, days: tuple[dt.date, dt.date] | None, facility: str | None, at: dt.datetime
) -> list[str]:
    """The command line of a report; without days those it usually has."""
    asked = [
        "report",
        *(["--digest"] if report == reports.DIGEST else ["--notebook", report]),
        "--at",
        at.isoformat(),
    ]
    if days is not None:
        asked += (
            ["--from", days[1].isoformat()]
            if report == reports.DIGEST
            else ["--from", days[0].isoformat(), "--to", days[1].isoformat()]
        )
    return asked + (["--facility", facility] if facility else [])


def _run(making: Making, settings: Settings, asked: list[str]) -> None:
    def hear(text: str) -> None:
        share, _, doing = text.partition("% ")
        if share.isdecimal():
            making.share, making.doing = min(int(share) / 100, 1.0), doing

    making.failed = "It broke off."
    try:
        with tempfile.TemporaryDirectory(prefix="report") as out:
            making.failed = commands.run(settings, [*asked, "--out", out], hear)
            making.files = {path.name: path.read_bytes() for path in sorted(Path(out).iterdir())}
    finally:
        making.is_over = True
