"""What pages, notebooks and the command line ask: the published snapshot with the actions it has not folded in yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd

from pipelines import ledger, lifecycle, warehouse
from pipelines.errors import UserError
from pipelines.folding import fold
from pipelines.rules import CATEGORIES
from pipelines.settings import Settings

QUERIES = Path(__file__).parent / "queries"
STATUSES = ("pending", "deferred", "all", "closed")


@dataclass(frozen=True)
class Filters:
    """Which tasks to list; None means any. `status` open means pending or deferred; payer 'self-pay' and staff 'unassigned' name the absent."""

    status: str = "pending"
    facility_id: str | None = None
    rule_id: str | None = None
    category: str | None = None
    payer_id: str | None = None
    staff_id: str | None = None
    patient_id: str | None = None
    task_id: str | None = None


@dataclass(frozen=True)
class Done:
    """What became of one action: the recorded action, and the task as it was before."""

    action: ledger.Action
    title: str


class Worklist:
    """The list at a moment `at` (aware). Open it for one question or one page, then close it."""

    def __init__(self, settings: Settings, at: dt.datetime) -> None:
        path = warehouse.current(settings.warehouse)
        if path is None:
            raise UserError(f"{settings.warehouse}: no list has been published yet; run `python -m pipelines run` first")
        self.at = at
        self.settings = settings
        self._con = warehouse.connect()
        warehouse.attach(self._con, path, "snapshot")
        self._con.execute("USE snapshot")
        self.as_of, self.folded_seq, self.run_id = warehouse.one(self._con, "SELECT as_of, folded_seq, run_id FROM runs ORDER BY run_no DESC LIMIT 1")
        with ledger.open_ledger(settings.ledger_url) as book:
            waiting = [row[0] for row in self._con.execute("SELECT w.seq FROM waiting_actions AS w").fetchall()]
            self._overlay([action for action in book.actions(after=self.folded_seq, also=waiting) if action.at <= at])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._con.close()

    def tasks(self, filters: Filters | None = None) -> pd.DataFrame:
        """One row a task, oldest first: the columns of queries/tasks.sql; since is a day, times are UTC, age in days of the facility."""
        wanted = filters or Filters()
        self._check_names(wanted)
        return self._ask("tasks", at=self.at, **{name: getattr(wanted, name) for name in Filters.__dataclass_fields__})

    def counts(self, filters: Filters | None = None) -> pd.DataFrame:
        """Tasks, overdue ones and the oldest `since`, by category and type, of the tasks the filters list."""
        listed = self.tasks(filters)
        return listed.groupby(["category", "rule_id", "title"], as_index=False).agg(
            tasks=("task_id", "size"), overdue=("overdue", "sum"), oldest=("since", "min")
        )

    def options(self, filters: Filters | None = None) -> dict[str, list[str]]:
        """For facility, category, type, payer and staff: the values that have active tasks, given the other filters."""
        wanted = filters or Filters()
        names = ("facility_id", "category", "rule_id", "payer_id", "staff_id", "patient_id")
        rows = self._ask("options", at=self.at, **{name: getattr(wanted, name) for name in names})
        return {name: rows.loc[rows["filter"] == name, "choice"].tolist() for name in ("facility", "category", "type", "payer", "staff")}

    def history(self, patient_id: str) -> pd.DataFrame:
        """Every event of a patient's tasks until `at`, oldest first."""
        return self._ask("history", at=self.at, patient_id=patient_id)

    def act(
        self,
        action: str,
        task_id: str,
        staff_id: str,
        *,
        until: dt.datetime | None = None,
        to_staff_id: str | None = None,
        reason: str | None = None,
        seen: int | None = None,
    ) -> Done:
        """Record a person's action at `at`; UserError says why it cannot be, naming who was first where somebody was.

        `seen` is the ledger number the person had seen; without it, what this worklist shows counts as seen.
        """
        rows = self.tasks(Filters(status="all", task_id=task_id))
        if rows.empty:
            raise UserError(f"There is no task {task_id}", 1)
        task = rows.iloc[0]
        self._check_staff(staff_id, "--staff")
        if action == "assign" and to_staff_id is not None:
            self._check_staff(to_staff_id, "--to")
        seen_seq = int(task["last_seq"]) if seen is None else seen
        with ledger.open_ledger(self.settings.ledger_url) as book:
            newer = book.actions(after=seen_seq, task_id=task_id)
            if newer:
                raise UserError(self._who_was_first(task_id, newer[-1]), 1)
            is_override = self._check_state(action, task, (reason or "").strip() or None)
            if action == "defer":
                if until is None:
                    raise UserError("A deferral needs --for or --until", 1)
                ledger.check_deferral(self.at, until)
            new = ledger.NewAction(task_id, action, staff_id, self.at, until, to_staff_id, reason, is_override)
            try:
                return Done(book.record(new, seen=seen_seq), str(task["title"]))
            except ledger.Conflict as conflict:
                raise UserError(self._who_was_first(task_id, conflict.latest), 1) from None

    def staff_name(self, staff_id: str) -> str:
        """The name behind a staff id, or the id itself."""
        row = warehouse.one(self._con, "SELECT s.name FROM staging.staff AS s WHERE s.staff_id = $staff_id", {"staff_id": staff_id})
        return row[0] if row else staff_id

    def _check_names(self, wanted: Filters) -> None:
        """UserError for a type, category or facility that does not exist: an empty list would look like nothing to do."""
        for value, column, table in ((wanted.rule_id, "rule_id", "rules"), (wanted.facility_id, "facility_id", "staging.facilities")):
            known = [row[0] for row in self._con.execute(f"SELECT {column} FROM {table} ORDER BY {column}").fetchall()] if value else []
            if value and value not in known:
                raise UserError(f"There is no {'task type' if column == 'rule_id' else 'facility'} {value}; there are {', '.join(known)}")
        if wanted.category and wanted.category not in CATEGORIES:
            raise UserError(f"There is no category {wanted.category}; there are {', '.join(CATEGORIES)}")

    def _check_staff(self, staff_id: str, option: str) -> None:
        row = warehouse.one(self._con, "SELECT s.is_active FROM staging.staff AS s WHERE s.staff_id = $staff_id", {"staff_id": staff_id})
        if row is None:
            raise UserError(f"{option} {staff_id}: there is no such staff member", 1)
        if not row[0]:
            raise UserError(f"{option} {staff_id}: is no longer active", 1)

    def _check_state(self, action: str, task: pd.Series, reason: str | None) -> bool:
        """Whether completing is an override; UserError when the task's state does not allow the action."""
        is_open = task["status"] in ("pending", "deferred")
        if action in ("complete", "defer", "return", "assign") and not is_open:
            raise UserError(f"Task {task['task_id']} ({task['title']}) was already {self._how_closed(task)}. Nothing was changed.", 1)
        if action == "return" and task["status"] != "deferred":
            raise UserError(f"Task {task['task_id']} is not deferred: it is on the list", 1)
        if action == "reopen":
            if is_open:
                raise UserError(f"Task {task['task_id']} is open already", 1)
            if task["status"] != "completed":
                raise UserError(f"Task {task['task_id']} was {self._how_closed(task)}; it opens again by itself when its condition returns", 1)
            if not self._is_latest(task["task_id"]):
                raise UserError(f"Task {task['task_id']} has a newer occurrence; act on that one", 1)
        if action == "note" and not reason:
            raise UserError("A note needs --reason TEXT", 1)
        is_override = action == "complete" and task["manual"] == "override"
        if is_override and not reason:
            raise UserError(
                f"Task {task['task_id']} ({task['title']}) normally clears by itself; completing it by hand is an override and needs --reason", 1
            )
        return is_override

    def _how_closed(self, task: pd.Series) -> str:
        by = "the system" if task["closed_by"] == "system" else f"{self.staff_name(task['closed_by'])} ({task['closed_by']})"
        return f"{task['close_kind'] if task['status'] == 'cleared' else 'completed'} by {by} on {task['closed_at']:%Y-%m-%d %H:%M:%S %Z}"

    def _who_was_first(self, task_id: str, first: ledger.Action) -> str:
        done = {
            "complete": "completed",
            "defer": "deferred",
            "return": "returned to the list",
            "reopen": "reopened",
            "assign": "assigned",
            "note": "noted",
        }
        name = self.staff_name(first.staff_id)
        return (
            f"Task {task_id} was already {done[first.action]} by {name} ({first.staff_id}) on {first.at:%Y-%m-%d %H:%M:%S} UTC. "
            "Nothing was changed: look at it again."
        )

    def _is_latest(self, task_id: str) -> bool:
        row = warehouse.one(self._con, "SELECT t.is_latest FROM current_tasks AS t WHERE t.task_id = $task_id", {"task_id": task_id})
        return bool(row and row[0])

    def _overlay(self, acted: list[ledger.Action]) -> None:
        """Make current_tasks and current_events: the snapshot, then the actions, then, for an earlier moment, what was so then."""
        is_past = self.at < self.as_of
        fold(self._con, "snapshot.tasks", acted, "stored_now" if is_past else "current_tasks")
        (last,) = warehouse.one(self._con, "SELECT COALESCE(MAX(event_no), 0) FROM snapshot.events")
        self._con.execute("CREATE OR REPLACE TEMP TABLE fresh_events AS " + lifecycle.sql("folded_events"), {"last_event_no": last})
        self._con.execute("CREATE OR REPLACE TEMP VIEW current_events AS FROM snapshot.events UNION ALL BY NAME FROM fresh_events")
        if is_past:
            self._con.execute("CREATE OR REPLACE TEMP TABLE current_tasks AS " + _sql("past_tasks"), {"at": self.at})

    def _ask(self, query: str, **parameters: object) -> pd.DataFrame:
        return self._con.sql(_sql(query), params=parameters).to_arrow_table().to_pandas(integer_object_nulls=True)


def _sql(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
