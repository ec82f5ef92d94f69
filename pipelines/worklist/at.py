"""Connect to the list of a moment: the published snapshot with the actions it does not hold yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import duckdb

from pipelines import lifecycle
from pipelines.errors import UserError
from pipelines.ledger import belonging
from pipelines.ledger.actions import Action
from pipelines.ledger.belonging import OfList
from pipelines.ledger.ledger import Ledger
from pipelines.lifecycle.apply_actions import apply_actions
from pipelines.settings import Settings
from pipelines.vocabulary import SQL_LISTS
from pipelines.warehouse import snapshots
from pipelines.worklist import layout, sql

# The parameters of past_tasks.sql.
PAST_LISTS = ("every_close_kind", "enters_list", "words_on_deferral", "closed_by_person")


@dataclass(frozen=True)
class State:
    """Which list a worklist shows: the snapshot, its as_of, its newest ledger number, its version.

    Two equal states show the same tasks, so answers may be kept by it.
    """

    run_id: str
    as_of: dt.datetime
    seq: int
    making: int = 0
    at: dt.datetime | None = None  # of a list made for one moment
    ledger_id: str | None = None  # of the ledger that the snapshot was made with
    facility_ids: tuple[str, ...] | None = None  # whose list it is limited to; see visibility.py

    @property
    def of_list(self) -> OfList:
        """What the list requires of its ledger."""
        return OfList(self.run_id, self.ledger_id, self.seq)


def connect_at(
    settings: Settings, at: dt.datetime, open_ledger: Callable[[], AbstractContextManager[Ledger]]
) -> tuple[duckdb.DuckDBPyConnection, State]:
    """A connection with the tables of overlay_actions for that moment, and the list's state.

    The list first: a list of another version is said before its ledger is.
    """
    con = snapshots.connect()
    state = attach_current(con, settings)
    with open_ledger() as ledger:
        belonging.check(ledger, state.of_list)
        known = ledger.actions(after=state.seq, also=waiting(con))
    con.execute(
        "CREATE TABLE memory.main.moment AS SELECT CAST($at AS TIMESTAMPTZ) AS seen_at", {"at": at}
    )
    overlay_actions(
        con, [action for action in known if action.at <= at], at if at < state.as_of else None
    )
    newest = max([state.seq, *(action.seq for action in known)])
    return con, replace(state, seq=newest, at=at)


def attach_current(con: duckdb.DuckDBPyConnection, settings: Settings) -> State:
    """Attach the live snapshot as `snapshot`; its state, with the newest action it holds."""
    path = snapshots.current(settings.warehouse)
    if path is None:
        raise UserError(
            f"{settings.warehouse}: no list has been published yet; "
            "run `python -m pipelines run` first"
        )
    layout.attach(con, path, "snapshot")
    set_search_path(con)
    as_of, applied_seq, run_id, ledger_id = snapshots.first(
        con, "SELECT as_of, folded_seq, run_id, ledger_id FROM runs ORDER BY run_no DESC LIMIT 1"
    )
    return State(run_id, as_of, applied_seq, ledger_id=ledger_id)


def set_search_path(con: duckdb.DuckDBPyConnection, within: str | None = None) -> None:
    """Resolve names in the snapshot, then in memory; or only in a database of visibility.py.

    A cursor does not inherit this from its connection.
    """
    con.execute(
        "SET search_path = "
        + ("'snapshot.main,memory.main'" if within is None else f"'{within}.main'")
    )
    con.execute("SET TimeZone = 'UTC'")


def waiting(con: duckdb.DuckDBPyConnection) -> list[int]:
    """The numbers of actions dated after the snapshot's run, which it left for later."""
    return [row[0] for row in con.execute("SELECT w.seq FROM waiting_actions AS w").fetchall()]


def overlay_actions(
    con: duckdb.DuckDBPyConnection, acted: list[Action], past: dt.datetime | None
) -> None:
    """Create current_tasks, current_events and current_stays: the snapshot with the actions.

    For a past moment they hold what was so then. `moved` has the ids of the tasks that may differ
    from the snapshot and of the open tasks, whose ages grow; moved_tasks and moved_events are
    those of them that existed then.
    """
    apply_actions(con, "snapshot.tasks", acted, "current_tasks" if past is None else "tasks_now")
    (last,) = snapshots.first(con, "SELECT COALESCE(MAX(event_no), 0) FROM snapshot.events")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE fresh_events AS " + lifecycle.sql("action_events"),
        {"last_event_no": last},
    )
    events = "SELECT e.* FROM (FROM snapshot.events UNION ALL BY NAME FROM fresh_events) AS e"
    if past is None:
        con.execute(f"CREATE OR REPLACE TEMP VIEW current_events AS {events}")
        con.execute(
            "CREATE OR REPLACE TEMP VIEW moved AS "
            "SELECT t.task_id FROM current_tasks AS t WHERE t.state = 'open' "
            "UNION SELECT a.task_id FROM actions AS a"
        )
        for name, table in (("moved_tasks", "current_tasks"), ("moved_events", "current_events")):
            con.execute(
                f"CREATE OR REPLACE TEMP VIEW {name} AS "
                f"SELECT t.* FROM {table} AS t WHERE t.task_id IN (FROM moved)"
            )
    else:
        _look_back(con, events, past)
    lifecycle.create_move_kinds(con)
    con.execute("CREATE OR REPLACE TEMP VIEW current_stays AS " + lifecycle.sql("stays"))


def _look_back(con: duckdb.DuckDBPyConnection, events: str, past: dt.datetime) -> None:
    """The tables of overlay_actions at a past moment, from tasks_now and these events."""
    # A literal: a join with the table `moment` would sort all events by time first.
    until = f"TIMESTAMPTZ '{past.isoformat()}'"
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW current_events AS {events} WHERE e.happened_at <= {until}"
    )
    # Tasks already closed by then are unchanged, since only notes are added; recompute the others.
    is_unchanged = (
        f"t.closed_at <= {until} AND t.state <> 'open' "
        "AND t.task_id NOT IN (SELECT a.task_id FROM actions AS a)"
    )
    is_moved = f"({is_unchanged}) IS NOT TRUE"
    tables = {
        "moved": f"SELECT t.task_id FROM tasks_now AS t WHERE {is_moved}",
        "stored_now": (
            f"SELECT t.* FROM tasks_now AS t WHERE t.opened_at <= {until} AND {is_moved}"
        ),
        "moved_events": (
            "SELECT e.* FROM current_events AS e "
            "WHERE e.task_id IN (SELECT t.task_id FROM stored_now AS t)"
        ),
        "changed_owners": (
            "SELECT DISTINCT e.task_id FROM snapshot.events AS e WHERE e.event = 'owner_changed'"
        ),
    }
    for name, select in tables.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {select}")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moved_tasks AS " + sql("past_tasks"),
        {name: SQL_LISTS[name] for name in PAST_LISTS},
    )
    con.execute(
        "CREATE OR REPLACE TEMP VIEW current_tasks AS "
        f"SELECT t.* FROM tasks_now AS t WHERE {is_unchanged} UNION ALL BY NAME FROM moved_tasks"
    )
