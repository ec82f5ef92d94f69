"""What pages, notebooks and the command line ask: the published snapshot with the actions it has not folded in yet."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import TracebackType
from typing import Self

import duckdb
import pandas as pd

from pipelines import ledger, lifecycle, queries, warehouse
from pipelines.errors import UserError
from pipelines.folding import fold
from pipelines.rules import CATEGORIES
from pipelines.settings import Settings

STATUSES = ("pending", "deferred", "overdue", "open", "closed", "all")
AGE_BANDS = ("0-1", "2-3", "4-7", "8-14", "15-30", "31-")  # days, both ends included; see queries/listed.sql
# What may have happened to a task, beside how it ended: put off, put off more than once, reopened, or closed and then followed within
# RETURN_DAYS by a new task of the same subject.
HAPPENINGS = ("deferred", "deferred_again", "reopened", "returned")
RETURN_DAYS = 30
STOOD = ("overdue", "deferred")  # in the evening of a day, see queries/stood.sql
# What numbers are split by, as queries have it in `split`.
SPLIT_COLUMNS = {"category": "category", "type": "rule_id", "facility": "facility_id", "payer": "payer_key", "staff": "staff_key"}
# What a list may be ordered by, and the column that says so; ties by age, then id, so that every page of it is stable.
ORDERS = {
    "since": "since",
    "task": "title",
    "patient": "patient",
    "payer": "payer",
    "staff": "staff",
    "due": "due_on",
    "age": "age_days",
    "amount": "amount",
    "facility": "facility",
    "status": "status",
}


@dataclass(frozen=True)
class Filters:
    """Which tasks to list; an empty tuple or None means any.

    Status overdue means pending and older than the rule's due days, open means pending or deferred. Payer 'self-pay' and
    staff 'unassigned' name the absent. The days are the clinic's: the tasks that were open in the evening of `open_on`, or at any
    time from the evening of `open_since` to it, and stood as STOOD then; that came in from the first to the last day of `in_`; that
    went out in those of `out_` (see lifecycle/stays.sql). `close_kinds` is how tasks ended, and with days of leaving how they left in
    those: who left twice may have ended in two ways. `happened` names HAPPENINGS.
    """

    status: str = "pending"
    facility_ids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()
    payer_ids: tuple[str, ...] = ()
    staff_ids: tuple[str, ...] = ()
    age_bands: tuple[str, ...] = ()
    patient_id: str | None = None
    task_ids: tuple[str, ...] = ()
    close_kinds: tuple[str, ...] = ()
    happened: tuple[str, ...] = ()
    open_on: dt.date | None = None
    open_since: dt.date | None = None
    stood_as: str | None = None
    in_from: dt.date | None = None
    in_to: dt.date | None = None
    out_from: dt.date | None = None
    out_to: dt.date | None = None


# What queries/listed.sql says, kept by whoever has many readers (see overlay.py): of the open tasks, and of all.
OPEN_TASKS, ALL_TASKS = "open_tasks", "all_tasks"
# Beside them the open tasks as queries/counted.sql counts them, a sixth as many rows: what COUNTING asks, unless a filter looks at single tasks.
OPEN_COUNTS = "open_counts"
COUNTING = ("summary", "options")
_PARAMETER = re.compile(r"\$(\w+)")
CHOSEN = ("facility_ids", "categories", "rule_ids", "payer_ids", "staff_ids", "age_bands")
COUNTED_BY = ("status", *CHOSEN)


@dataclass(frozen=True)
class Order:
    """How a list is ordered: a name of ORDERS, and whether the largest comes first."""

    by: str = "since"
    is_descending: bool = False


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
    clinics: tuple[str, ...] | None = None  # whose list it is limited to; see own_clinics.py


class Worklist:
    """The list at a moment `at` (aware), read through a connection of its own; one thread's at a time."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        settings: Settings,
        at: dt.datetime,
        state: State,
        known: dict[str, pd.DataFrame] | None = None,
        within: str | None = None,
    ) -> None:
        self.at = at
        self.settings = settings
        self.state = state
        self.con = con
        self._is_kept = known is not None  # whether OPEN_TASKS and ALL_TASKS are there
        self._known = {} if known is None else known  # answers that all readers of a snapshot share
        point(con, within)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.con.close()

    def tasks(self, filters: Filters | None = None, order: Order | None = None, limit: int | None = None, offset: int = 0) -> pd.DataFrame:
        """One row a task, oldest first unless ordered otherwise: the columns of queries/tasks.sql; since is a day, times are UTC."""
        wanted, by = filters or Filters(), order or Order()
        self._check_names(wanted)
        column = ORDERS[by.by]
        # Of equally old tasks the list has always shown the types in alphabetical order.
        tail = f"ORDER BY t.{column} {'DESC' if by.is_descending else 'ASC'} NULLS LAST, t.since, t.title, t.task_id"
        if limit is not None:
            return self._ask("tasks", wanted, tail, page=f"LIMIT {int(limit)} OFFSET {int(offset)}")
        if wanted.status == "all" and wanted.task_ids and self._is_kept:
            rows = self._ask("tasks", replace(wanted, status="open"), tail)
            if len(rows) == len(set(wanted.task_ids)):
                return rows  # none of them is closed
        return self._ask("tasks", wanted, tail)

    def summary(self, filters: Filters | None = None) -> dict[str, object]:
        """Tasks, pending ones overdue, deferred, unassigned, dollars waiting (Decimal), open, and closed by people, of the tasks that match."""
        return self._ask("summary", filters or Filters()).iloc[0].to_dict()

    def counts(self, filters: Filters | None = None) -> pd.DataFrame:
        """Tasks, overdue ones and the oldest `since`, by category and type, of the tasks the filters list."""
        return self._ask("counts", filters or Filters(), "ORDER BY t.category, t.title")

    def first_tasks(self, filters: Filters, most: int) -> pd.DataFrame:
        """The oldest tasks of each type, at most so many of each, by category and title."""
        return self._ask("first_tasks", filters, "ORDER BY t.category, t.title, t.since, t.task_id", most=most)

    def options(self, filters: Filters | None = None) -> dict[str, dict[str, int]]:
        """For facility, category, type, payer, staff and age: the values that have tasks given the other filters, and how many."""
        wanted = filters or Filters()
        rest = replace(wanted, **dict.fromkeys(CHOSEN, ()))
        rows = self._ask("options", rest, "ORDER BY t.filter, t.choice", **{f"chosen_{name}": list(getattr(wanted, name)) or None for name in CHOSEN})
        found: dict[str, dict[str, int]] = {name: {} for name in ("facility", "category", "type", "payer", "staff", "age")}
        for name, choice, tasks in rows.itertuples(index=False):
            found[name][choice] = int(tasks)
        return found

    def task(self, task_id: str) -> pd.Series | None:
        """One task, open or closed, or None when there is none of that id."""
        rows = self.tasks(Filters(status="all", task_ids=(task_id,)))
        return None if rows.empty else rows.iloc[0]

    def history(self, patient_id: str) -> pd.DataFrame:
        """Every event of a patient's tasks until `at`, oldest first."""
        return self._rows(queries.sql("history"), {"at": self.at, "patient_id": patient_id})

    def movements(self, since: dt.datetime, facility_id: str | None = None) -> pd.DataFrame:
        """How many tasks of each event (opened, cleared, completed, …) there were after `since` until `at`."""
        return self._rows(queries.sql("movements"), {"since": since, "at": self.at, "facility_id": facility_id})

    def facilities(self) -> pd.DataFrame:
        """facility_id, name, time_zone and today (a day), by name; of a limited list its own clinics."""
        rows = self._always("facilities")
        own = self.state.clinics
        return rows if own is None else rows[rows["facility_id"].isin(own)].reset_index(drop=True)

    def payers(self) -> pd.DataFrame:
        """payer_id and name, by name."""
        return self._always("payers")

    def staff(self) -> pd.DataFrame:
        """staff_id, name, email, role, facility_id and is_active, by name."""
        return self._always("staff")

    def staff_name(self, staff_id: str) -> str:
        """The name behind a staff id, or the id itself."""
        row = warehouse.one(self.con, "SELECT s.name FROM staging.staff AS s WHERE s.staff_id = $staff_id", {"staff_id": staff_id})
        return row[0] if row else staff_id

    def rules(self) -> pd.DataFrame:
        """rule_id, title, category, clears, clears_when, purpose and due_days of the rules this snapshot was made with, by title."""
        return self._always("rules")

    def question(self, name: str, filters: Filters, **more: object) -> pd.DataFrame:
        """Any other question of pipelines/queries about the tasks that match, as its comment describes it; `split_by` says what `split` is."""
        self._check_names(filters)
        return self._ask(name, filters, **more)

    def _check_names(self, wanted: Filters) -> None:
        """UserError for a type, facility, category, age or status that does not exist: an empty list would look like nothing to do."""
        if wanted.open_on is None and (wanted.open_since or wanted.stood_as):
            raise UserError("open_since and stood_as speak of the evening of open_on")
        for values, column, known_rows in ((wanted.rule_ids, "rule_id", self.rules), (wanted.facility_ids, "facility_id", self.facilities)):
            known = sorted(known_rows()[column]) if values else []
            for value in values:
                if value not in known:
                    raise UserError(f"There is no {'task type' if column == 'rule_id' else 'facility'} {value}; there are {', '.join(known)}")
        for what, values, known in (
            ("category", wanted.categories, CATEGORIES),
            ("age", wanted.age_bands, AGE_BANDS),
            ("status", (wanted.status,), STATUSES),
            ("happening", wanted.happened, HAPPENINGS),
            ("standing", () if wanted.stood_as is None else (wanted.stood_as,), STOOD),
        ):
            for value in values:
                if value not in known:
                    raise UserError(f"There is no {what} {value}; there are {', '.join(known)}")

    def _ask(self, question: str, filters: Filters, tail: str = "", page: str = "", **more: object) -> pd.DataFrame:
        """A question about the tasks that match, or those on a page of them; kept closed ones are looked at only when they are asked for."""
        given = {name: list(value) or None if isinstance(value, tuple) else value for name, value in vars(filters).items()}
        given |= {"open_since": filters.open_since or filters.open_on, "stood_on": filters.open_on, "left_as": None}
        if filters.out_from is not None:
            given["left_as"], given["close_kinds"] = given["close_kinds"], None
        given |= {"return_days": RETURN_DAYS, **more}
        table = ALL_TASKS if filters.status in ("closed", "all") else OPEN_TASKS
        listed, kept = (f"FROM {table} AS t", "NOT MATERIALIZED") if self._is_kept else (f"FROM ({queries.sql('listed')}) AS t", "")
        is_table = self._is_kept and table == OPEN_TASKS and self.state.clinics is None  # only a table's rows have a place, a view's have not
        asked = f"SELECT t.*, t.{'rowid' if is_table else 'task_id'} AS place {listed}"
        matching = _lines_given("matching", given)
        conditions = matching[matching.index("FROM asked AS t") :]
        if self._is_kept and table == OPEN_TASKS and question in COUNTING and _is_counted(filters):
            asked, matching = f"FROM {OPEN_COUNTS}", f"SELECT t.* {conditions}"
        elif page:
            # First which tasks, then all about them: most of the columns are then read for these few rows only, found by where they lie.
            matching = f"FROM asked AS t WHERE t.place IN (SELECT p.place FROM (SELECT t.place {conditions} {tail} {page}) AS p)"
        answer = _lines_given(question, given)
        beside = "".join(f"{name} AS ({queries.sql(name)}), " for name in ("happened", "stood") if f"{name} AS {name[0]}" in matching + answer)
        split = SPLIT_COLUMNS.get(str(more.get("split_by")))
        matching = f"SELECT t.*, {f't.{split}' if split else repr('all')} AS split FROM ({matching}) AS t" if "split_by" in more else matching
        sql = f"WITH asked AS {kept} ({asked}), {beside}matching AS {kept} ({matching}) FROM ({answer}) AS t {tail}"
        used = set(_PARAMETER.findall(sql))
        return self._rows(sql, {name: value for name, value in given.items() if name in used})

    def _always(self, question: str) -> pd.DataFrame:
        """The answer to a question about the snapshot alone, which stays the same as long as it is the live one."""
        if question not in self._known:
            self._known[question] = self._rows(queries.sql(question), {})
        return self._known[question].copy(deep=False)  # pandas copies what a reader writes to

    def _rows(self, sql: str, parameters: Mapping[str, object]) -> pd.DataFrame:
        return self.con.sql(sql, params=dict(parameters) or None).to_arrow_table().to_pandas(integer_object_nulls=True)


def _is_counted(filters: Filters) -> bool:
    """Whether the filters choose only by what the counts tell apart."""
    return all(getattr(filters, field.name) == field.default for field in fields(filters) if field.name not in COUNTED_BY)


def _lines_given(question: str, given: Mapping[str, object]) -> str:
    """A query without the lines whose parameter is not given: a condition that is always true is planned all the same, at each asking."""
    lines = queries.sql(question).splitlines(keepends=True)  # a comment may stand in the last line: it, too, needs its end
    return "".join(line for line in lines if all(given[name] is not None for name in _PARAMETER.findall(line)))


def open_worklist(settings: Settings, at: dt.datetime) -> Worklist:
    """The list at any moment, past ones too, for one question; a process with many readers keeps a SharedWorklist."""
    with ledger.open_ledger(settings.ledger_url) as book:
        con, state = laid_over(settings, book, at)
    return Worklist(con, settings, at, state)


def laid_over(settings: Settings, book: ledger.Ledger, at: dt.datetime) -> tuple[duckdb.DuckDBPyConnection, State]:
    """A connection whose current_tasks, current_events and current_stays are those of the moment, and the list's state; see lay_over."""
    con = warehouse.connect()
    state = attach_current(con, settings)
    con.execute("CREATE TABLE memory.main.moment AS SELECT CAST($at AS TIMESTAMPTZ) AS seen_at", {"at": at})
    known = book.actions(after=state.seq, also=waiting(con))
    lay_over(con, [action for action in known if action.at <= at], at if at < state.as_of else None)
    return con, State(state.run_id, state.as_of, max([state.seq, *(action.seq for action in known)]), at=at)


def attach_current(con: duckdb.DuckDBPyConnection, settings: Settings) -> State:
    """Attach the live snapshot as `snapshot`; the state it was published in, its seq the newest action it has folded in."""
    path = warehouse.current(settings.warehouse)
    if path is None:
        raise UserError(f"{settings.warehouse}: no list has been published yet; run `python -m pipelines run` first")
    warehouse.attach(con, path, "snapshot")
    point(con)
    as_of, folded_seq, run_id = warehouse.one(con, "SELECT as_of, folded_seq, run_id FROM runs ORDER BY run_no DESC LIMIT 1")
    return State(run_id, as_of, folded_seq)


def point(con: duckdb.DuckDBPyConnection, within: str | None = None) -> None:
    """Let names mean the snapshot's tables, and then those beside it; or what a database of own_clinics.py shows of them, and nothing else.

    A cursor does not inherit this from its connection.
    """
    con.execute("SET search_path = " + ("'snapshot.main,memory.main'" if within is None else f"'{within}.main'"))
    con.execute("SET TimeZone = 'UTC'")


def waiting(con: duckdb.DuckDBPyConnection) -> list[int]:
    """The numbers of actions dated after the snapshot's run, which it left for later."""
    return [row[0] for row in con.execute("SELECT w.seq FROM waiting_actions AS w").fetchall()]


def lay_over(con: duckdb.DuckDBPyConnection, acted: list[ledger.Action], past: dt.datetime | None) -> None:
    """Make current_tasks, current_events and current_stays: the snapshot, then the actions, then, for a past moment, what was so then.

    `moved` holds the ids of the tasks that are, or may be, otherwise than the snapshot says, the open ones among them, whose ages grow.
    Those that were there already are in moved_tasks, their events in moved_events.
    """
    fold(con, "snapshot.tasks", acted, "current_tasks" if past is None else "folded_now")
    (last,) = warehouse.one(con, "SELECT COALESCE(MAX(event_no), 0) FROM snapshot.events")
    con.execute("CREATE OR REPLACE TEMP TABLE fresh_events AS " + lifecycle.sql("folded_events"), {"last_event_no": last})
    events = "SELECT e.* FROM (FROM snapshot.events UNION ALL BY NAME FROM fresh_events) AS e"
    if past is None:
        con.execute(f"CREATE OR REPLACE TEMP VIEW current_events AS {events}")
        open_or_touched = "SELECT t.task_id FROM current_tasks AS t WHERE t.state = 'open' UNION SELECT a.task_id FROM actions AS a"
        con.execute(f"CREATE OR REPLACE TEMP VIEW moved AS {open_or_touched}")
        con.execute("CREATE OR REPLACE TEMP VIEW moved_tasks AS SELECT t.* FROM current_tasks AS t WHERE t.task_id IN (FROM moved)")
        con.execute("CREATE OR REPLACE TEMP VIEW moved_events AS SELECT e.* FROM current_events AS e WHERE e.task_id IN (FROM moved)")
    else:
        _look_back(con, events, past)
    con.execute("CREATE OR REPLACE TEMP VIEW current_stays AS " + lifecycle.sql("stays"))


def _look_back(con: duckdb.DuckDBPyConnection, events: str, past: dt.datetime) -> None:
    """What lay_over makes, of a past moment, from the tasks of folded_now and these events."""
    # The moment as a literal: joined to the table that holds it, two million events would be sorted by time first.
    until = f"TIMESTAMPTZ '{past.isoformat()}'"
    con.execute(f"CREATE OR REPLACE TEMP VIEW current_events AS {events} WHERE e.happened_at <= {until}")
    # What was closed by then and stayed so is as it was: nothing but notes happens to a closed task. A task is on one side or the other.
    as_it_was = f"t.closed_at <= {until} AND t.state <> 'open' AND t.task_id NOT IN (SELECT a.task_id FROM actions AS a)"
    is_moved = f"({as_it_was}) IS NOT TRUE"
    con.execute(f"CREATE OR REPLACE TEMP TABLE moved AS SELECT t.task_id FROM folded_now AS t WHERE {is_moved}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE stored_now AS SELECT t.* FROM folded_now AS t WHERE t.opened_at <= {until} AND {is_moved}")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moved_events AS SELECT e.* FROM current_events AS e WHERE e.task_id IN (SELECT t.task_id FROM stored_now AS t)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE changed_owners AS SELECT DISTINCT e.task_id FROM snapshot.events AS e WHERE e.event = 'owner_changed'")
    con.execute("CREATE OR REPLACE TEMP TABLE moved_tasks AS " + queries.sql("past_tasks"))
    con.execute(f"CREATE OR REPLACE TEMP VIEW current_tasks AS SELECT t.* FROM folded_now AS t WHERE {as_it_was} UNION ALL BY NAME FROM moved_tasks")
