"""What pages, notebooks and the command line ask of the list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self, TypedDict, cast

import duckdb
import pandas as pd

from pipelines.errors import UserError
from pipelines.ledger.ledger import open_ledger
from pipelines.settings import Settings
from pipelines.vocabulary import RETURN_DAYS, SQL_LISTS
from pipelines.warehouse import snapshots
from pipelines.worklist import at as worklist_at
from pipelines.worklist import filters as worklist_filters
from pipelines.worklist import question_sql, sql
from pipelines.worklist.at import State
from pipelines.worklist.columns import ORDERS
from pipelines.worklist.filters import FILTERS, OFFERED, Filter, Filters, Order
from pipelines.worklist.question_sql import Kept, Question

VOCABULARY: Mapping[str, object] = {**SQL_LISTS, "return_days": RETURN_DAYS}


class Summary(TypedDict):
    """Counts of the tasks that match; `overdue` are pending ones, `amount` the dollars waiting."""

    tasks: int
    overdue: int
    deferred: int
    unassigned: int
    amount: Decimal
    still_open: int
    by_people: int


class Held(NamedTuple):
    """For how many runs in a row a task was held, 0 if it is not, and why.

    A guard holds it, or a table does not reach back far enough; otherwise a refused row may concern
    it.
    """

    runs: int = 0
    guard: str | None = None
    is_unseen: bool = False


class Worklist:
    """The list at a moment `at` (aware), through its own connection; for one thread at a time."""

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
        self._kept = None if known is None else Kept(state.facility_ids is not None)
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
        """One row a task, oldest first unless ordered otherwise; since is a day, times are UTC.

        The columns are those of listed.sql without columns.INTERNAL.
        """
        wanted, by = filters or Filters(), order or Order()
        self._check_values(wanted)
        direction = "DESC" if by.is_descending else "ASC"
        # Types of equally old tasks come in alphabetical order.
        question = Question(
            "FROM matching AS t",
            f"ORDER BY t.{ORDERS[by.by]} {direction} NULLS LAST, t.since, t.title, t.task_id",
            "" if limit is None else f"LIMIT {int(limit)} OFFSET {int(offset)}",
            question_sql.TASK_COLUMNS,
        )
        if limit is None and wanted.status == "all" and wanted.task_ids and self._kept:
            rows = self._ask(question, replace(wanted, status="open"))
            if len(rows) == len(set(wanted.task_ids)):
                return rows  # none of them is closed
        return self._ask(question, wanted)

    def summary(self, filters: Filters | None = None) -> Summary:
        """How many tasks match, and in what state they are."""
        question = Question(sql("summary"), is_counting=True)
        return cast(Summary, self._ask(question, filters or Filters()).iloc[0].to_dict())

    def counts(self, filters: Filters | None = None) -> pd.DataFrame:
        """Tasks, overdue ones and the oldest `since`, by category and type, of tasks that match."""
        question = Question(sql("counts"), "ORDER BY t.category, t.title")
        return self._ask(question, filters or Filters())

    def first_tasks(self, filters: Filters, most: int) -> pd.DataFrame:
        """The oldest tasks of each type, at most so many of each, by category and title."""
        question = Question(
            sql("first_tasks"),
            "ORDER BY t.category, t.title, t.since, t.task_id",
            columns=question_sql.TASK_COLUMNS,
        )
        return self._ask(question, filters, most=most)

    def options(self, filters: Filters | None = None) -> dict[str, dict[str, int]]:
        """For each offered filter, how many tasks each value has given the other filters."""
        wanted = filters or Filters()
        chosen = [field for one in OFFERED for field in one.fields]
        rows = self._ask(
            Question(question_sql.options(wanted), "ORDER BY t.filter, t.choice", is_counting=True),
            Filters(**{**vars(wanted), **dict.fromkeys(chosen, ())}),
            **{field: list(getattr(wanted, field)) or None for field in chosen},
        )
        found: dict[str, dict[str, int]] = {one.name: {} for one in OFFERED}
        for name, choice, tasks in rows.itertuples(index=False):
            found[name][choice] = int(tasks)
        return found

    def task(self, task_id: str) -> pd.Series | None:
        """One task, open or closed, or None when there is none of that id."""
        rows = self.tasks(Filters(status="all", task_ids=(task_id,)))
        return None if rows.empty else rows.iloc[0]

    def history(self, patient_id: str, *, people_only: bool = False) -> pd.DataFrame:
        """Every event until `at` of the tasks that are or were this patient's, oldest first.

        `people_only` leaves out what the system did.
        """
        events = self._rows(sql("history"), {"at": self.at, "patient_id": patient_id})
        return events[events["staff_id"].notna()] if people_only else events

    def moved_to(self, patient_id: str) -> str | None:
        """The patient whose chart took over the tasks of this id; None where none did."""
        row = snapshots.one(self.con, sql("moved_to"), {"patient_id": patient_id})
        return None if row is None else str(row[0])

    def held_runs(self, task_id: str) -> Held:
        """Whether and why the last run could not check this task."""
        row = snapshots.one(self.con, sql("held_runs"), {"task_id": task_id})
        return Held() if row is None else Held(*row)

    def movements(self, since: dt.datetime, facility_id: str | None = None) -> pd.DataFrame:
        """The number of each event (opened, cleared, completed, …) after `since` until `at`."""
        return self._rows(
            sql("movements"), {"since": since, "at": self.at, "facility_id": facility_id}
        )

    def facilities(self) -> pd.DataFrame:
        """facility_id, name, time_zone and today (a day) of the visible facilities, by name."""
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
        """The rules of this snapshot by title: the columns of rules.sql."""
        return self._always("rules")

    def question(
        self, question: str, filters: Filters, split_by: str | None = None, **more: object
    ) -> pd.DataFrame:
        """The answer to a SELECT over `matching`, the tasks that match, and its parameters.

        `split_by` says what the column `split` is. The SELECT may read `happened` and `stood`.
        """
        self._check_values(filters)
        every = Question(question, split_by=split_by, reads=("happened", "stood"))
        return self._ask(every, filters, split_by=split_by, **more)

    def _check_values(self, wanted: Filters) -> None:
        """UserError for a value that does not exist: an empty list would look like no work."""
        if wanted.open_on is None and (wanted.open_since or wanted.stood_as):
            raise UserError("open_since and stood_as need open_on")
        for one in FILTERS:
            values = _values(wanted, one)
            known = self._known_values(one) if values else None
            if known is None:
                continue
            for value in values:
                if value not in known:
                    raise UserError(f"There is no {one.said} {value}; there are {', '.join(known)}")

    def _known_values(self, one: Filter) -> Collection[str] | None:
        """The values of a filter that exist; None where any value may be asked for."""
        if one.known_in is None:
            return one.choices
        method, column = one.known_in
        rows: pd.DataFrame = getattr(self, method)()
        return sorted(rows[column])

    def _ask(self, question: Question, filters: Filters, **more: object) -> pd.DataFrame:
        text = question_sql.query(question, filters, self._kept)
        given = worklist_filters.parameters(filters)
        return self._rows(text, {**VOCABULARY, **given, "stood_on": filters.open_on, **more})

    def _always(self, question: str) -> pd.DataFrame:
        """The answer to a question about the snapshot alone, asked once for each snapshot."""
        if question not in self._known:
            self._known[question] = self._rows(sql(question), {})
        return self._known[question].copy(deep=False)  # pandas copies what a reader writes to

    def _rows(self, text: str, given: Mapping[str, object]) -> pd.DataFrame:
        """The rows of a query; of the given parameters it gets those that it names."""
        (statement,) = self.con.extract_statements(text)
        named = {name: given[name] for name in statement.named_parameters}
        rows = self.con.sql(statement, params=named or None)
        return rows.to_arrow_table().to_pandas(integer_object_nulls=True)


def _values(wanted: Filters, one: Filter) -> list[str]:
    """The texts that the filters hold for one filter."""
    found: list[str] = []
    for field in one.fields:
        value = getattr(wanted, field)
        found += value if isinstance(value, tuple) else [value] if isinstance(value, str) else []
    return found


def open_worklist(settings: Settings, at: dt.datetime) -> Worklist:
    """The list at any moment, for one question; a process with many readers keeps LiveWorklist."""
    own = partial(open_ledger, settings.ledger_url, read_only=True, is_listed=True)
    con, state = worklist_at.connect_at(settings, at, own)
    return Worklist(con, settings, at, state)
