"""The lists at past moments that people look at: each loaded once and read by many sessions."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from pipelines.errors import UserError
from pipelines.ledger.ledger import Ledger
from pipelines.settings import Settings
from pipelines.warehouse import snapshots
from pipelines.worklist import tables, visibility
from pipelines.worklist.at import State, connect_at
from pipelines.worklist.visibility import Facilities
from pipelines.worklist.worklist import Worklist

EVENING = dt.time(23, 59, 59)
KEPT = 3  # lists; each is as large as the practice's history was


@dataclass
class Loaded:
    con: duckdb.DuckDBPyConnection
    state: State
    checked: int  # the newest number of the ledger that was looked at
    limits: visibility.Limits = field(default_factory=visibility.Limits)


class PastWorklists:
    """The last few past lists of one practice, for many threads."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings = settings
        self._ledger = ledger
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[Path | None, dt.datetime], Loaded] = OrderedDict()

    def at(self, at: dt.datetime, facility_ids: Facilities = None) -> Worklist:
        """A reader of the list at a past moment, limited as in LiveWorklist.at.

        UserError when no list was published yet.

        An action that is recorded late, for a time before that moment, makes the list anew.
        """
        with self._lock:
            key = (snapshots.current(self.settings.warehouse), at)
            held, newest = self._held.pop(key, None), self._ledger.last_seq()
            if held is None or any(
                action.at <= at for action in self._ledger.actions(after=held.checked)
            ):
                held = _hold(self.settings, self._ledger, at, newest)
            held.checked = newest
            self._held[key] = held
            while len(self._held) > KEPT:
                self._held.popitem(last=False)  # its readers keep what they read from
            return held.limits.reader(held.con, self.settings, at, held.state, facility_ids)


def _hold(settings: Settings, ledger: Ledger, at: dt.datetime, newest: int) -> Loaded:
    """Recompute only tasks that differ from the snapshot, and those open then, for their age."""
    con, state = connect_at(settings, at, lambda: nullcontext(ledger))
    tables.create_tables(con)
    con.execute("CREATE TEMP TABLE touched_now AS FROM moved")
    con.execute("CREATE TABLE memory.main.past_events AS FROM moved_events")
    con.execute("CREATE TEMP TABLE past_tasks AS FROM moved_tasks")
    con.execute("CREATE OR REPLACE TEMP VIEW current_tasks AS FROM past_tasks")
    con.execute("CREATE OR REPLACE TEMP VIEW current_events AS FROM memory.main.past_events")
    tables.refresh_changed(con)
    con.execute(
        "CREATE OR REPLACE VIEW memory.main.current_events AS "
        f"SELECT e.* FROM snapshot.events AS e WHERE e.task_id {tables.UNTOUCHED} "
        "UNION ALL BY NAME FROM memory.main.past_events"
    )
    return Loaded(con, state, newest)


def evening_of(listed: Worklist, day: dt.date, facility_id: str | None = None) -> dt.datetime:
    """The end of a day at a facility, or at all: looking back at a day means its evening."""
    return max(
        dt.datetime.combine(day, EVENING, zone) for zone in zones(listed, facility_id)
    ).astimezone(dt.UTC)


def zones(listed: Worklist, facility_id: str | None = None) -> list[ZoneInfo]:
    """The time zones of a facility, or of all; UserError when there is no such facility."""
    rows = listed.facilities()
    if facility_id is not None and facility_id not in set(rows["facility_id"]):
        raise UserError(
            f"There is no facility {facility_id}; there are {', '.join(rows['facility_id'])}"
        )
    chosen = rows if facility_id is None else rows[rows["facility_id"] == facility_id]
    return [ZoneInfo(zone) for zone in chosen["time_zone"].dropna().unique()] or [ZoneInfo("UTC")]
