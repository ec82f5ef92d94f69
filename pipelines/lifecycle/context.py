"""The values one run works with, passed whole from step to step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipelines.extracts.outcome import Previous
from pipelines.ledger.belonging import OfList
from pipelines.rules.model import Applied
from pipelines.settings import Settings

HISTORY_DAYS = 90  # before the go-live, unless the settings say otherwise


@dataclass(frozen=True)
class GoLive:
    """The day on which the practice began to work with the list; None when nobody has said so.

    Tasks that a person must clear do not open if they fell due before it, nor do others more than
    `history_days` before it.
    """

    day: dt.date | None = None
    history_days: int = HISTORY_DAYS


@dataclass(frozen=True)
class PreviousRun:
    """What this run must know of the published snapshot; the defaults hold before the first run.

    `applied_seq` is the newest action it knew, `waiting` are the numbers it left for later;
    `go_live` is what it went by, `of_list` names its ledger.
    """

    run_no: int = 0
    as_of: dt.datetime | None = None
    applied_seq: int = 0
    waiting: tuple[int, ...] = ()
    last_event_no: int = 0
    tables: Mapping[str, Previous] = field(default_factory=dict)
    go_live: GoLive = GoLive()
    of_list: OfList | None = None


@dataclass(frozen=True)
class RunContext:
    """One run over a folder of extracts; as_of is aware, `con` has `previous` and `snapshot`."""

    con: duckdb.DuckDBPyConnection
    settings: Settings
    folder: Path
    as_of: dt.datetime
    applied: Applied
    previous: PreviousRun
    go_live: GoLive = GoLive()
    ledger_id: str | None = None

    @property
    def run_no(self) -> int:
        """The number of this run."""
        return self.previous.run_no + 1

    @property
    def run_id(self) -> str:
        """The name of this run and its snapshot: its number and as_of in UTC."""
        return f"{self.run_no:06d}-{self.as_of.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
