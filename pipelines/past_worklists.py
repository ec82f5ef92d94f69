"""The lists as they were at the moments people look back at: each made once, and read by many sessions."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines import ledger, warehouse
from pipelines.settings import Settings
from pipelines.worklist import State, Worklist, hold_past

KEPT = 3  # lists; each is as large as the practice's history was


@dataclass
class _Held:
    con: duckdb.DuckDBPyConnection
    state: State
    checked: int  # the newest number of the ledger that was looked at


class PastWorklists:
    """The last few past lists of one practice, for many threads."""

    def __init__(self, settings: Settings, book: ledger.Ledger) -> None:
        self.settings = settings
        self._book = book
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[Path, dt.datetime], _Held] = OrderedDict()

    def at(self, at: dt.datetime) -> Worklist:
        """A reader of the list as it was at a moment that is over; UserError when no list was published yet.

        An action that is recorded late, for a time before that moment, makes the list anew.
        """
        with self._lock:
            key = (warehouse.current(self.settings.warehouse), at)
            held, newest = self._held.pop(key, None), self._book.last_seq()
            if held is None or any(action.at <= at for action in self._book.actions(after=held.checked)):
                con, state = hold_past(self.settings, self._book, at)
                held = _Held(con, state, newest)
            held.checked = newest
            self._held[key] = held
            while len(self._held) > KEPT:
                self._held.popitem(last=False)  # its readers keep what they read from
            return Worklist(held.con.cursor(), self.settings, at, held.state, "memory.main.open_tasks")
