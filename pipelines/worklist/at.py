"""What pages, notebooks and the command line ask: the published snapshot with the actions it does not hold yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb

from pipelines import lifecycle
from pipelines.errors import UserError
from pipelines.ledger.actions import Action
from pipelines.ledger.ledger import Ledger
from pipelines.lifecycle.apply_actions import apply_actions
from pipelines.settings import Settings
from pipelines.warehouse import snapshots
from pipelines.worklist import layout, sql


@dataclass(frozen=True)
class State:
    """Which list a worklist shows: the snapshot, its as-of, the newest ledger number it knows, and which making of it this is.

    Two equal states show the same tasks, so answers may be kept by it.
    """

    run_id: str
    as_of: dt.datetime
    seq: int
    making: int = 0
    at: dt.datetime | None = None  # of a list made for one moment
    facility_ids: tuple[str, ...] | None = None  # whose list it is limited to; see visibility.py


def connect_at(
    settings: Settings, ledger: Ledger, at: dt.datetime
) -> tuple[duckdb.DuckDBPyConnection, State]:
    """A connection whose current_tasks, current_events and current_stays are those of the moment, and the list's state; see lay_over."""
    con = snapshots.connect()
    state = attach_current(con, settings)
    con.execute(
        "CREATE TABLE memory.main.moment AS SELECT CAST($at AS TIMESTAMPTZ) AS seen_at", {"at": at}
    )
    known = ledger.actions(after=state.seq, also=waiting(con))
    overlay_actions(
        con, [action for action in known if action.at <= at], at if at < state.as_of else None
    )
    return con, State(
        state.run_id, state.as_of, max([state.seq, *(action.seq for action in known)]), at=at
    )


def attach_current(con: duckdb.DuckDBPyConnection, settings: Settings) -> State:
    """Attach the live snapshot as `snapshot`; the state it was published in, its seq the newest action it holds."""
    path = snapshots.current(settings.warehouse)
    if path is None:
        raise UserError(
            f"{settings.warehouse}: no list has been published yet; run `python -m pipelines run` first"
        )
    layout.attach(con, path, "snapshot")
    set_search_path(con)
    as_of, applied_seq, run_id = snapshots.one(
        con, "SELECT as_of, folded_seq, run_id FROM runs ORDER BY run_no DESC LIMIT 1"
    )
    return State(run_id, as_of, applied_seq)


def set_search_path(con: duckdb.DuckDBPyConnection, within: str | None = None) -> None:
    """Let names mean the snapshot's tables, and then those beside it; or what a database of visibility.py shows of them, and nothing else.

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
    """Make current_tasks, current_events and current_stays: the snapshot, then the actions, then, for a past moment, what was so then.

    `moved` holds the ids of the tasks that are, or may be, otherwise than the snapshot says, the open ones among them, whose ages grow.
    Those that were there already are in moved_tasks, their events in moved_events.
    """
    apply_actions(con, "snapshot.tasks", acted, "current_tasks" if past is None else "tasks_now")
    (last,) = snapshots.one(con, "SELECT COALESCE(MAX(event_no), 0) FROM snapshot.events")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE fresh_events AS " + lifecycle.sql("action_events"),
        {"last_event_no": last},
    )
    events = "SELECT e.* FROM (FROM snapshot.events UNION ALL BY NAME FROM fresh_events) AS e"
    if past is None:
        con.execute(f"CREATE OR REPLACE TEMP VIEW current_events AS {events}")
        open_or_touched = "SELECT t.task_id FROM current_tasks AS t WHERE t.state = 'open' UNION SELECT a.task_id FROM actions AS a"
        con.execute(f"CREATE OR REPLACE TEMP VIEW moved AS {open_or_touched}")
        con.execute(
            "CREATE OR REPLACE TEMP VIEW moved_tasks AS SELECT t.* FROM current_tasks AS t WHERE t.task_id IN (FROM moved)"
        )
        con.execute(
            "CREATE OR REPLACE TEMP VIEW moved_events AS SELECT e.* FROM current_events AS e WHERE e.task_id IN (FROM moved)"
        )
    else:
        _look_back(con, events, past)
    con.execute("CREATE OR REPLACE TEMP VIEW current_stays AS " + lifecycle.sql("stays"))


def _look_back(con: duckdb.DuckDBPyConnection, events: str, past: dt.datetime) -> None:
    """What lay_over makes, of a past moment, from the tasks of tasks_now and these events."""
    # The moment as a literal: joined to the table that holds it, two million events would be sorted by time first.
    until = f"TIMESTAMPTZ '{past.isoformat()}'"
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW current_events AS {events} WHERE e.happened_at <= {until}"
    )
    # What was closed by then and stayed so is as it was: nothing but notes happens to a closed task. A task is on one side or the other.
    as_it_was = f"t.closed_at <= {until} AND t.state <> 'open' AND t.task_id NOT IN (SELECT a.task_id FROM actions AS a)"
    is_moved = f"({as_it_was}) IS NOT TRUE"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE moved AS SELECT t.task_id FROM tasks_now AS t WHERE {is_moved}"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE stored_now AS SELECT t.* FROM tasks_now AS t WHERE t.opened_at <= {until} AND {is_moved}"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moved_events AS SELECT e.* FROM current_events AS e WHERE e.task_id IN (SELECT t.task_id FROM stored_now AS t)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE changed_owners AS SELECT DISTINCT e.task_id FROM snapshot.events AS e WHERE e.event = 'owner_changed'"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE moved_tasks AS " + sql("past_tasks"))
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW current_tasks AS SELECT t.* FROM tasks_now AS t WHERE {as_it_was} UNION ALL BY NAME FROM moved_tasks"
    )
