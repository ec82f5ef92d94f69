"""One list for all sessions of a process, in memory and brought up to date before each read.

A new snapshot or a new day loads it again. Actions, of this process or another, and deferrals that
end change only their own tasks. Each read compares the snapshot's name and the ledger's newest
number with what is loaded, so nobody has to announce a change.
"""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from pipelines import lifecycle
from pipelines.errors import UserError
from pipelines.ledger import belonging
from pipelines.ledger.actions import Action
from pipelines.ledger.belonging import open_own_ledger
from pipelines.ledger.identity import Identity
from pipelines.ledger.ledger import Ledger
from pipelines.lifecycle.apply_actions import set_actions
from pipelines.settings import Settings
from pipelines.warehouse import snapshots
from pipelines.worklist import tables, visibility
from pipelines.worklist.at import State, attach_current, set_search_path, waiting
from pipelines.worklist.visibility import Facilities
from pipelines.worklist.worklist import Worklist

# How far a reader's clock may be behind the newest read or the run: it gets the newer list, since
# an older one would have to be loaded again.
LATE = dt.timedelta(minutes=5)
_makings = itertools.count(1)  # per process, so that no two lists ever have equal states


@dataclass
class Loaded:
    """The list of one snapshot on one day, as of the newest look."""

    con: duckdb.DuckDBPyConnection
    path: Path
    state: State
    at: dt.datetime
    day_ends_at: dt.datetime
    acted: defaultdict[str, list[Action]] = field(default_factory=lambda: defaultdict(list))
    waiting: list[int] = field(default_factory=list)
    limits: visibility.Limits = field(default_factory=visibility.Limits)


class LiveWorklist:
    """The list of one practice for many threads. `at` comes from the app's clock."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._ledger: Ledger | None = None
        self._held: Loaded | None = None

    @property
    def ledger(self) -> Ledger:
        """The ledger, opened once for the process."""
        if self._ledger is None:
            with self._lock:
                self._ledger = self._ledger or open_own_ledger(self.settings)
        return self._ledger

    def at(self, at: dt.datetime, facility_ids: Facilities = None) -> Worklist:
        """A reader of the list at that moment, unchanged later; UserError when none is published.

        `facilities` are those the reader is limited to; None sees all.

        The reader's `at` is up to LATE newer where another thread was quicker.
        """
        path, identity = snapshots.current(self.settings.warehouse), self.ledger.identity()
        with self._lock:
            if self._held is not None and self._held.path == path:
                _check_still_own(self.ledger, identity, self._held.state)
            held, self._held = (
                self._held,
                None,
            )  # if this fails half-way, the next look makes the list anew
            if held is not None and at < held.at <= at + LATE:
                at = held.at
            if held is None or held.path != path or not held.at <= at < held.day_ends_at:
                held = self.load(at)
                at = held.at
            elif identity.newest > held.state.seq or held.waiting or at > held.at:
                self._catch_up(held, at, identity.newest)
            self._held = held
            worklist = held.limits.reader(held.con, self.settings, at, held.state, facility_ids)
            # Isolate the reader from later changes: a transaction keeps its first view.
            worklist.con.begin()
            snapshots.one(worklist.con, "SELECT m.seen_at FROM memory.main.moment AS m")
            return worklist

    def load(self, at: dt.datetime) -> Loaded:
        """Read the live snapshot and what people did since."""
        con = snapshots.connect()
        path = snapshots.current(self.settings.warehouse)
        state = attach_current(con, self.settings)
        belonging.check(self.ledger, state.of_list)
        if at < state.as_of <= at + LATE:
            at = state.as_of
        if path is None or at < state.as_of:
            raise UserError(
                f"The list was published for {state.as_of:%Y-%m-%d %H:%M} UTC, "
                f"and the clock says {at:%Y-%m-%d %H:%M} UTC: set the clock right."
            )
        con.execute(
            "CREATE TABLE memory.main.moment AS SELECT CAST($at AS TIMESTAMPTZ) AS seen_at",
            {"at": at},
        )
        tables.create_tables(con)
        tables.load_open(con)
        held = Loaded(
            con,
            path,
            replace(state, making=next(_makings)),
            at,
            _next_day(con, at),
            waiting=waiting(con),
        )
        self._catch_up(held, at, self.ledger.last_seq())
        return held

    def _catch_up(self, held: Loaded, at: dt.datetime, seq: int) -> None:
        """Apply the actions since the last read, and deferrals that ended or grew by a day."""
        known = (
            self.ledger.actions(after=held.state.seq, also=held.waiting)
            if seq > held.state.seq or held.waiting
            else []
        )
        fresh = [action for action in known if action.at <= at]
        held.waiting = [action.seq for action in known if action.at > at]
        for action in fresh:
            held.acted[action.task_id].append(action)
        changed = held.con.execute(
            "SELECT t.task_id FROM open_tasks AS t WHERE t.changes_at <= $at", {"at": at}
        ).fetchall()
        touched = {action.task_id for action in fresh} | {row[0] for row in changed}
        if touched:
            _refresh(held, touched, fresh, at)
        newest = max([held.state.seq, *(action.seq for action in known)])
        held.at, held.state = (
            at,
            replace(
                held.state, seq=newest, making=next(_makings) if touched else held.state.making
            ),
        )


def _check_still_own(ledger: Ledger, identity: Identity, state: State) -> None:
    """UserError when the ledger has lost what this process has already shown of it."""
    if belonging.problem(identity, ledger.name, state.of_list) is None:
        return
    # Another thread may have read newer actions since this one asked.
    why = belonging.problem(ledger.identity(), ledger.name, state.of_list)
    if why is not None:
        raise UserError(f"{why}. Then restart the workbench.")


def _refresh(held: Loaded, touched: Collection[str], fresh: list[Action], at: dt.datetime) -> None:
    """Recompute these tasks only, by the same SQL over temporary tables of this cursor."""
    cursor = held.con.cursor()
    set_search_path(cursor)
    cursor.execute(
        "CREATE TEMP TABLE touched_now AS SELECT UNNEST($ids) AS task_id", {"ids": list(touched)}
    )
    (last,) = snapshots.first(cursor, "SELECT COALESCE(MAX(event_no), 0) FROM current_events")
    cursor.begin()
    set_actions(cursor, fresh)
    cursor.execute(
        "INSERT INTO memory.main.fresh_events " + lifecycle.sql("action_events"),
        {"last_event_no": last},
    )
    set_actions(cursor, [action for task_id in touched for action in held.acted.get(task_id, [])])
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE stored_tasks AS "
        "SELECT t.* FROM snapshot.tasks AS t WHERE t.task_id IN (FROM touched_now)"
    )
    cursor.execute("CREATE TEMP TABLE current_tasks AS " + lifecycle.sql("tasks_with_actions"))
    cursor.execute(
        "CREATE TEMP TABLE touched_events AS SELECT e.* "
        "FROM memory.main.current_events AS e WHERE e.task_id IN (FROM touched_now)"
    )
    cursor.execute("CREATE TEMP VIEW current_events AS FROM touched_events")
    cursor.execute("UPDATE memory.main.moment SET seen_at = CAST($at AS TIMESTAMPTZ)", {"at": at})
    tables.refresh_changed(cursor)
    cursor.commit()
    cursor.close()


def _next_day(con: duckdb.DuckDBPyConnection, at: dt.datetime) -> dt.datetime:
    """When the next local day begins at any facility, or in UTC: ages grow then."""
    (ends_at,) = snapshots.first(
        con,
        "SELECT MIN(CAST("
        "CAST(CAST($at AS TIMESTAMPTZ) AT TIME ZONE z.time_zone AS DATE) + 1 AS TIMESTAMP"
        ") AT TIME ZONE z.time_zone) "
        "FROM (SELECT f.time_zone FROM staging.facilities AS f UNION SELECT 'UTC') AS z",
        {"at": at},
    )
    return ends_at
