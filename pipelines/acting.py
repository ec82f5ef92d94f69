"""What people may do to a task, and doing it: the state it must be in, and who was first where somebody was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from pipelines import ledger, warehouse
from pipelines.errors import UserError
from pipelines.worklist import Filters, Worklist

DONE = {
    "complete": "completed",
    "defer": "deferred",
    "return": "returned to the list",
    "reopen": "reopened",
    "assign": "assigned",
    "note": "noted",
}
UNDOES = {"complete": "reopen", "defer": "return"}


@dataclass(frozen=True)
class Wish:
    """What a person wants of one task; `seen` is the ledger number they had seen of it, None for what the worklist shows."""

    task_id: str
    action: str
    until: dt.datetime | None = None
    to_staff_id: str | None = None
    reason: str | None = None
    seen: int | None = None


@dataclass(frozen=True)
class Done:
    """What became of one wish: the recorded action, the task's title, and whom it was assigned to before (None: its record's owner)."""

    action: ledger.Action
    title: str
    assigned_to_id: str | None


@dataclass(frozen=True)
class Refused:
    """A wish that was not done, and why in words for whoever asked."""

    wish: Wish
    why: str


def act(worklist: Worklist, book: ledger.Ledger, staff_id: str, wish: Wish) -> Done:
    """Record one person's action at the worklist's moment; UserError says why it cannot be, naming who was first where somebody was."""
    done, refused = act_all(worklist, book, staff_id, [wish])
    if refused:
        raise UserError(refused[0].why, 1)
    return done[0]


def act_all(worklist: Worklist, book: ledger.Ledger, staff_id: str, wishes: Sequence[Wish]) -> tuple[list[Done], list[Refused]]:
    """Record what can be recorded of one person's wishes, all in one transaction; the others with the reason why not."""
    _check_staff(worklist, staff_id, "--staff")
    for colleague in {wish.to_staff_id for wish in wishes if wish.action == "assign" and wish.to_staff_id is not None}:
        _check_staff(worklist, colleague, "--to")
    rows = worklist.tasks(Filters(status="all", task_ids=tuple(wish.task_id for wish in wishes)))
    tasks = {task["task_id"]: task for _, task in rows.iterrows()}
    newer = _newer(book, wishes, tasks)
    allowed, refused = [], []
    for wish in wishes:
        task = tasks.get(wish.task_id)
        try:
            if task is None:
                raise UserError(f"There is no task {wish.task_id}", 1)
            if wish.task_id in newer:
                raise UserError(_who_was_first(worklist, newer[wish.task_id]), 1)
            is_override = _check_state(worklist, wish, task)
            new = ledger.NewAction(wish.task_id, wish.action, staff_id, worklist.at, wish.until, wish.to_staff_id, wish.reason, is_override)
            allowed.append((new, _seen(wish, task)))
        except UserError as error:
            refused.append(Refused(wish, str(error)))
    recorded, conflicts = book.record_many(allowed)
    by_task = {wish.task_id: wish for wish in wishes}
    refused += [Refused(by_task[conflict.refused.task_id], _who_was_first(worklist, conflict.latest)) for conflict in conflicts]
    return [_done(action, tasks[action.task_id]) for action in recorded], refused


def undo(worklist: Worklist, book: ledger.Ledger, staff_id: str, done: Sequence[Done]) -> tuple[list[Done], list[Refused]]:
    """Take back what one person has just done, where nobody acted since: reopen, return to the list, assign as before."""
    wishes = []
    for before in done:
        action = before.action
        if action.action == "assign":
            wishes.append(Wish(action.task_id, "assign", to_staff_id=before.assigned_to_id, seen=action.seq))
        elif action.action in UNDOES:
            wishes.append(Wish(action.task_id, UNDOES[action.action], seen=action.seq))
    return act_all(worklist, book, staff_id, wishes)


def _done(action: ledger.Action, task: pd.Series) -> Done:
    before = task["assigned_to_id"]
    return Done(action, str(task["title"]), None if pd.isna(before) else str(before))


def _seen(wish: Wish, task: pd.Series) -> int:
    return int(task["last_seq"]) if wish.seen is None else wish.seen


def _newer(book: ledger.Ledger, wishes: Sequence[Wish], tasks: dict[str, pd.Series]) -> dict[str, ledger.Action]:
    """The newest action on each task after the one its wish had seen."""
    seen = {wish.task_id: _seen(wish, tasks[wish.task_id]) for wish in wishes if wish.task_id in tasks}
    if not seen:
        return {}
    only = next(iter(seen)) if len(seen) == 1 else None
    since = book.actions(after=min(seen.values()), task_id=only)
    return {action.task_id: action for action in since if action.task_id in seen and action.seq > seen[action.task_id]}


def _check_staff(worklist: Worklist, staff_id: str, option: str) -> None:
    row = warehouse.one(worklist.con, "SELECT s.is_active FROM staging.staff AS s WHERE s.staff_id = $staff_id", {"staff_id": staff_id})
    if row is None:
        raise UserError(f"{option} {staff_id}: there is no such staff member", 1)
    if not row[0]:
        raise UserError(f"{option} {staff_id}: is no longer active", 1)


def _check_state(worklist: Worklist, wish: Wish, task: pd.Series) -> bool:
    """Whether completing is an override; UserError when the task's state does not allow the action."""
    name = f"Task {task['task_id']} ({task['title']})"
    if wish.action in ("complete", "defer", "return", "assign") and not task["is_open"]:
        raise UserError(f"{name} was already {_how_closed(worklist, task)}. Nothing was changed.", 1)
    if wish.action == "return" and task["status"] != "deferred":
        raise UserError(f"Task {task['task_id']} is not deferred: it is on the list", 1)
    if wish.action == "reopen":
        _check_reopening(worklist, task)
    if wish.action == "note" and not (wish.reason or "").strip():
        raise UserError("A note needs --reason TEXT", 1)
    if wish.action == "defer":
        if wish.until is None:
            raise UserError("A deferral needs --for or --until", 1)
        ledger.check_deferral(worklist.at, wish.until)
    is_override = wish.action == "complete" and task["manual"] == "override"
    if is_override and not (wish.reason or "").strip():
        raise UserError(f"{name} normally clears by itself; completing it by hand is an override and needs --reason", 1)
    return is_override


def _check_reopening(worklist: Worklist, task: pd.Series) -> None:
    if task["is_open"]:
        raise UserError(f"Task {task['task_id']} is open already", 1)
    if task["status"] != "completed":
        raise UserError(f"Task {task['task_id']} was {_how_closed(worklist, task)}; it opens again by itself when its condition returns", 1)
    if not task["is_latest"]:
        raise UserError(f"Task {task['task_id']} has a newer occurrence; act on that one", 1)


def _how_closed(worklist: Worklist, task: pd.Series) -> str:
    by = "the system" if task["closed_by"] == "system" else f"{worklist.staff_name(task['closed_by'])} ({task['closed_by']})"
    return f"{task['close_kind'] if task['status'] == 'cleared' else 'completed'} by {by} on {task['closed_at']:%Y-%m-%d %H:%M:%S %Z}"


def _who_was_first(worklist: Worklist, first: ledger.Action) -> str:
    name = worklist.staff_name(first.staff_id)
    return (
        f"Task {first.task_id} was already {DONE[first.action]} by {name} ({first.staff_id}) on {first.at:%Y-%m-%d %H:%M:%S} UTC. "
        "Nothing was changed: look at it again."
    )
