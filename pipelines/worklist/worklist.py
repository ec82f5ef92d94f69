"""What pages, notebooks and the command line ask: the published snapshot with the actions it does not hold yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import TracebackType
from typing import Self, TypedDict, cast

import duckdb
import pandas as pd

from pipelines.errors import UserError
from pipelines.ledger.ledger import open_ledger
from pipelines.settings import Settings
from pipelines.vocabulary import (
    AGE_BANDS,
    CATEGORIES,
    HAPPENINGS,
    RETURN_DAYS,
    STANDINGS,
    STATUSES,
)
from pipelines.warehouse import snapshots
from pipelines.worklist import at as worklist_at
from pipelines.worklist import filters as worklist_filters
from pipelines.worklist import question_sql, sql
from pipelines.worklist.at import State
from pipelines.worklist.filters import (
    CHOSEN,
    ORDERS,
    SPLIT_COLUMNS,
    Filters,
    Order,
)
from pipelines.worklist.question_sql import ALL_TASKS, COUNTING, OPEN_COUNTS, OPEN_TASKS, PARAMETER


class Summary(TypedDict):
    """Counts of the tasks that match; `overdue` are pending ones, `amount` the dollars waiting."""

    tasks: int
    overdue: int
    deferred: int
    unassigned: int
    amount: Decimal
    still_open: int
    by_people: int


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
        worklist_at.set_search_path(con, within)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.con.close()

    def tasks(
        self,
        filters: Filters | None = None,
        order: Order | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pd.DataFrame:
        """One row a task, oldest first unless ordered otherwise: the columns of tasks.sql; since is a day, times are UTC."""
        wanted, by = filters or Filters(), order or Order()
        self._check_names(wanted)
        column = ORDERS[by.by]
        # Of equally old tasks the list has always shown the types in alphabetical order.
        tail = f"ORDER BY t.{column} {'DESC' if by.is_descending else 'ASC'} NULLS LAST, t.since, t.title, t.task_id"
        if limit is not None:
            return self._ask(
                sql("tasks"), wanted, tail, page=f"LIMIT {int(limit)} OFFSET {int(offset)}"
            )
        if wanted.status == "all" and wanted.task_ids and self._is_kept:
            rows = self._ask(sql("tasks"), replace(wanted, status="open"), tail)
            if len(rows) == len(set(wanted.task_ids)):
                return rows  # none of them is closed
        return self._ask(sql("tasks"), wanted, tail)

    def summary(self, filters: Filters | None = None) -> Summary:
        """How many tasks match, and in what state they are."""
        return cast(Summary, self._ask(sql("summary"), filters or Filters()).iloc[0].to_dict())

    def counts(self, filters: Filters | None = None) -> pd.DataFrame:
        """Tasks, overdue ones and the oldest `since`, by category and type, of the tasks the filters list."""
        return self._ask(sql("counts"), filters or Filters(), "ORDER BY t.category, t.title")

    def first_tasks(self, filters: Filters, most: int) -> pd.DataFrame:
        """The oldest tasks of each type, at most so many of each, by category and title."""
        return self._ask(
            sql("first_tasks"),
            filters,
            "ORDER BY t.category, t.title, t.since, t.task_id",
            most=most,
        )

    def options(self, filters: Filters | None = None) -> dict[str, dict[str, int]]:
        """For facility, category, type, payer, staff and age: the values that have tasks given the other filters, and how many."""
        wanted = filters or Filters()
        rest = replace(wanted, **dict.fromkeys(CHOSEN, ()))
        rows = self._ask(
            sql("options"),
            rest,
            "ORDER BY t.filter, t.choice",
            **{f"chosen_{name}": list(getattr(wanted, name)) or None for name in CHOSEN},
        )
        found: dict[str, dict[str, int]] = {
            name: {} for name in ("facility", "category", "type", "payer", "staff", "age")
        }
        for name, choice, tasks in rows.itertuples(index=False):
            found[name][choice] = int(tasks)
        return found

    def task(self, task_id: str) -> pd.Series | None:
        """One task, open or closed, or None when there is none of that id."""
        rows = self.tasks(Filters(status="all", task_ids=(task_id,)))
        return None if rows.empty else rows.iloc[0]

    def history(self, patient_id: str) -> pd.DataFrame:
        """Every event of a patient's tasks until `at`, oldest first."""
        return self._rows(sql("history"), {"at": self.at, "patient_id": patient_id})

    def movements(self, since: dt.datetime, facility_id: str | None = None) -> pd.DataFrame:
        """How many tasks of each event (opened, cleared, completed, …) there were after `since` until `at`."""
        return self._rows(
            sql("movements"), {"since": since, "at": self.at, "facility_id": facility_id}
        )

    def facilities(self) -> pd.DataFrame:
        """facility_id, name, time_zone and today (a day), by name; of a limited list its own facilities."""
        rows = self._always("facilities")
        own = self.state.facility_ids
        return rows if own is None else rows[rows["facility_id"].isin(own)].reset_index(drop=True)

    def payers(self) -> pd.DataFrame:
        """payer_id and name, by name."""
        return self._always("payers")

    def staff(self) -> pd.DataFrame:
        """staff_id, name, email, role, facility_id and is_active, by name."""
        return self._always("staff")

    def staff_name(self, staff_id: str) -> str:
        """The name behind a staff id, or the id itself."""
        row = snapshots.one(
            self.con,
            "SELECT s.name FROM staging.staff AS s WHERE s.staff_id = $staff_id",
            {"staff_id": staff_id},
        )
        return row[0] if row else staff_id

    def rules(self) -> pd.DataFrame:
        """rule_id, title, category, clears, clears_when, purpose and due_days of the rules this snapshot was made with, by title."""
        return self._always("rules")

    def question(self, question: str, filters: Filters, **more: object) -> pd.DataFrame:
        """The answer to a SELECT over `matching`, the tasks that match; `split_by` says what `split` is."""
        self._check_names(filters)
        return self._ask(question, filters, **more)

    def _check_names(self, wanted: Filters) -> None:
        """UserError for a type, facility, category, age or status that does not exist: an empty list would look like nothing to do."""
        if wanted.open_on is None and (wanted.open_since or wanted.stood_as):
            raise UserError("open_since and stood_as speak of the evening of open_on")
        for values, column, known_rows in (
            (wanted.rule_ids, "rule_id", self.rules),
            (wanted.facility_ids, "facility_id", self.facilities),
        ):
            known = sorted(known_rows()[column]) if values else []
            for value in values:
                if value not in known:
                    raise UserError(
                        f"There is no {'task type' if column == 'rule_id' else 'facility'} {value}; there are {', '.join(known)}"
                    )
        for what, values, known in (
            ("category", wanted.categories, CATEGORIES),
            ("age", wanted.age_bands, AGE_BANDS),
            ("status", (wanted.status,), STATUSES),
            ("happening", wanted.happened, HAPPENINGS),
            ("standing", () if wanted.stood_as is None else (wanted.stood_as,), STANDINGS),
        ):
            for value in values:
                if value not in known:
                    raise UserError(f"There is no {what} {value}; there are {', '.join(known)}")

    def _ask(
        self, question: str, filters: Filters, tail: str = "", page: str = "", **more: object
    ) -> pd.DataFrame:
        """A question about the tasks that match, or those on a page of them; kept closed ones are looked at only when they are asked for."""
        given = {
            name: list(value) or None if isinstance(value, tuple) else value
            for name, value in vars(filters).items()
        }
        given |= {
            "open_since": filters.open_since or filters.open_on,
            "stood_on": filters.open_on,
            "left_as": None,
        }
        if filters.out_from is not None:
            given["left_as"], given["close_kinds"] = given["close_kinds"], None
        given |= {"return_days": RETURN_DAYS, **more}
        table = ALL_TASKS if filters.status in ("closed", "all") else OPEN_TASKS
        listed, kept = (
            (f"FROM {table} AS t", "NOT MATERIALIZED")
            if self._is_kept
            else (f"FROM ({sql('listed')}) AS t", "")
        )
        is_table = (
            self._is_kept and table == OPEN_TASKS and self.state.facility_ids is None
        )  # only a table's rows have a place, a view's have not
        asked = f"SELECT t.*, t.{'rowid' if is_table else 'task_id'} AS place {listed}"
        matching = question_sql.lines_given(sql("matching"), given)
        conditions = matching[matching.index("FROM asked AS t") :]
        if (
            self._is_kept
            and table == OPEN_TASKS
            and question in map(sql, COUNTING)
            and worklist_filters.is_counted(filters)
        ):
            asked, matching = f"FROM {OPEN_COUNTS}", f"SELECT t.* {conditions}"
        elif page:
            # First which tasks, then all about them: most of the columns are then read for these few rows only, found by where they lie.
            matching = f"FROM asked AS t WHERE t.place IN (SELECT p.place FROM (SELECT t.place {conditions} {tail} {page}) AS p)"
        answer = question_sql.lines_given(question, given)
        beside = "".join(
            f"{name} AS ({sql(name)}), "
            for name in ("happened", "stood")
            if f"{name} AS {name[0]}" in matching + answer
        )
        split = SPLIT_COLUMNS.get(str(more.get("split_by")))
        matching = (
            f"SELECT t.*, {f't.{split}' if split else repr('all')} AS split FROM ({matching}) AS t"
            if "split_by" in more
            else matching
        )
        whole = f"WITH asked AS {kept} ({asked}), {beside}matching AS {kept} ({matching}) FROM ({answer}) AS t {tail}"
        used = set(PARAMETER.findall(whole))
        return self._rows(whole, {name: value for name, value in given.items() if name in used})

    def _always(self, question: str) -> pd.DataFrame:
        """The answer to a question about the snapshot alone, which stays the same as long as it is the live one."""
        if question not in self._known:
            self._known[question] = self._rows(sql(question), {})
        return self._known[question].copy(deep=False)  # pandas copies what a reader writes to

    def _rows(self, text: str, parameters: Mapping[str, object]) -> pd.DataFrame:
        return (
            self.con.sql(text, params=dict(parameters) or None)
            .to_arrow_table()
            .to_pandas(integer_object_nulls=True)
        )


def open_worklist(settings: Settings, at: dt.datetime) -> Worklist:
    """The list at any moment, past ones too, for one question; a process with many readers keeps a SharedWorklist."""
    with open_ledger(settings.ledger_url) as ledger:
        con, state = worklist_at.connect_at(settings, ledger, at)
    return Worklist(con, settings, at, state)
