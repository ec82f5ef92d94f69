"""What people may do to a task, and doing it: the state it must be in, and who was first where somebody was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipelines.errors import UserError
from pipelines.ledger import deferral
from pipelines.ledger.actions import Action, NewAction
from pipelines.ledger.ledger import Ledger
from pipelines.vocabulary import ACTIONS, ACTIONS_ON_OPEN_TASKS
from pipelines.warehouse import snapshots
from pipelines.worklist.filters import Filters
from pipelines.worklist.visibility import Facilities
from pipelines.worklist.worklist import Worklist


@dataclass(frozen=True)
class ActionRequest:
    """What a person wants of one task; `seen` is the ledger number they had seen of it, None for what the worklist shows.

    A deferral ends at `until`, or so long after the moment it is done at as `span` says.
    """

    task_id: str
    action: str
    until: dt.datetime | None = None
    to_staff_id: str | None = None
    reason: str | None = None
    seen: int | None = None
    span: dt.timedelta | None = None


@dataclass(frozen=True)
class Recorded:
    """What became of one wish: the recorded action, the task's title, and whom it was assigned to before (None: its record's owner)."""

    action: Action
    title: str
    assigned_to_id: str | None


@dataclass(frozen=True)
class Rejected:
    """A wish that was not done, and why in words for whoever asked."""

    wish: ActionRequest
    why: str


def act(worklist: Worklist, ledger: Ledger, staff_id: str, wish: ActionRequest) -> Recorded:
    """Record one person's action at the worklist's moment; UserError says why it cannot be, naming who was first where somebody was."""
    done, refused = act_all(worklist, ledger, staff_id, [wish])
    if refused:
        raise UserError(refused[0].why, 1)
    return done[0]


def act_all(
    worklist: Worklist, ledger: Ledger, staff_id: str, wishes: Sequence[ActionRequest]
) -> tuple[list[Recorded], list[Rejected]]:
    """Record what can be recorded of one person's wishes, in one transaction; the others with the reason why not. Both in the order of the wishes."""
    if problem := _staff_problem(worklist, staff_id):
        raise UserError(f"--staff {staff_id}: {problem}", 1)
    if not wishes:
        return [], []
    rows = worklist.tasks(Filters(status="all", task_ids=tuple(wish.task_id for wish in wishes)))
    tasks = {task["task_id"]: task for _, task in rows.iterrows()}
    newest = _newest(worklist, ledger, wishes, tasks)
    colleagues = {
        wish.to_staff_id
        for wish in wishes
        if wish.action == "assign" and wish.to_staff_id is not None
    }
    problems = {colleague: _staff_problem(worklist, colleague) for colleague in colleagues}
    sights = {colleague: _facilities_of(worklist, colleague) for colleague in colleagues}
    allowed: list[tuple[NewAction, int]] = []
    places: dict[int, int] = {}  # a new action, by its identity: two wishes may be equal
    whys: dict[int, str] = {}
    for place, wish in enumerate(wishes):
        try:
            new = _action(
                worklist, staff_id, wish, tasks.get(wish.task_id), newest, problems, sights
            )
        except UserError as error:
            whys[place] = str(error)
        else:
            allowed.append((new, _seen(wish, tasks[wish.task_id])))
            places[id(new)] = place
    recorded, conflicts = ledger.record_many(allowed)
    whys |= {
        places[id(conflict.refused)]: _who_was_first(worklist, conflict.latest)
        for conflict in conflicts
    }
    return [_done(action, tasks[action.task_id]) for action in recorded], [
        Rejected(wishes[place], whys[place]) for place in sorted(whys)
    ]


def undo(
    worklist: Worklist, ledger: Ledger, staff_id: str, done: Sequence[Recorded]
) -> tuple[list[Recorded], list[Rejected]]:
    """Take back what one person has just done, where nobody acted since: reopen, return to the list, assign as before."""
    wishes = []
    for before in done:
        action = before.action
        if action.action == "assign":
            wishes.append(
                ActionRequest(
                    action.task_id, "assign", to_staff_id=before.assigned_to_id, seen=action.seq
                )
            )
        elif undone_by := ACTIONS[action.action].undone_by:
            wishes.append(ActionRequest(action.task_id, undone_by, seen=action.seq))
    return act_all(worklist, ledger, staff_id, wishes)


def _done(action: Action, task: pd.Series) -> Recorded:
    before = task["assigned_to_id"]
    return Recorded(action, str(task["title"]), None if pd.isna(before) else str(before))


def _seen(wish: ActionRequest, task: pd.Series) -> int:
    return int(task["last_seq"]) if wish.seen is None else wish.seen


def _newest(
    worklist: Worklist,
    ledger: Ledger,
    wishes: Sequence[ActionRequest],
    tasks: Mapping[str, pd.Series],
) -> dict[str, Action]:
    """By task, the newest action of which a wish may not have known: newer than the list is, or than the wish."""
    shown = {
        wish.task_id: int(tasks[wish.task_id]["last_seq"])
        for wish in wishes
        if wish.task_id in tasks and wish.seen is not None
    }
    overtaken = {
        shown[wish.task_id]
        for wish in wishes
        if wish.task_id in shown and wish.seen < shown[wish.task_id]
    }
    # What the list does not know yet is little; all of the ledger would be more every year.
    return {
        action.task_id: action
        for action in ledger.actions(after=worklist.state.seq, also=sorted(overtaken))
    }


def _staff_problem(worklist: Worklist, staff_id: str) -> str | None:
    """Why this member of staff can neither act nor be assigned to, or None."""
    row = snapshots.one(
        worklist.con,
        "SELECT s.is_active FROM staging.staff AS s WHERE s.staff_id = $staff_id",
        {"staff_id": staff_id},
    )
    if row is None:
        return "there is no such staff member"
    return None if row[0] else "is no longer active"


def _facilities_of(worklist: Worklist, staff_id: str) -> Facilities:
    """The facilities this member of staff is limited to on the screens."""
    row = snapshots.one(
        worklist.con,
        "SELECT s.role, s.facility_id FROM staging.staff AS s WHERE s.staff_id = $staff_id",
        {"staff_id": staff_id},
    )
    return None if row is None else worklist.settings.access.facilities_of(staff_id, *row)


def _action(
    worklist: Worklist,
    staff_id: str,
    wish: ActionRequest,
    task: pd.Series | None,
    newest: Mapping[str, Action],
    problems: Mapping[str, str | None],
    sights: Mapping[str, Facilities],
) -> NewAction:
    """What to record for one wish; UserError says why it cannot be."""
    if task is None:
        raise UserError(
            f"There is no task {wish.task_id}"
            + ("" if worklist.state.facility_ids is None else " at your facilities"),
            1,
        )
    if (
        wish.action == "assign"
        and wish.to_staff_id is not None
        and (problem := problems[wish.to_staff_id])
    ):
        raise UserError(f"--to {wish.to_staff_id}: {problem}", 1)
    if (
        wish.action == "assign"
        and (sight := sights.get(wish.to_staff_id or "")) is not None
        and task["facility_id"] not in sight
    ):
        raise UserError(
            f"--to {wish.to_staff_id}: works at other facilities and would not see this task", 1
        )
    if (latest := newest.get(wish.task_id)) is not None and latest.seq > _seen(wish, task):
        raise UserError(_who_was_first(worklist, latest), 1)
    until = wish.until if wish.span is None else worklist.at + wish.span
    is_override = _check_state(worklist, wish, task, until)
    return NewAction(
        wish.task_id,
        wish.action,
        staff_id,
        worklist.at,
        until,
        wish.to_staff_id,
        wish.reason,
        is_override,
    )


def _check_state(
    worklist: Worklist, wish: ActionRequest, task: pd.Series, until: dt.datetime | None
) -> bool:
    """Whether completing is an override; UserError when the task's state does not allow the action."""
    name = f"Task {task['task_id']} ({task['title']})"
    if wish.action in ACTIONS_ON_OPEN_TASKS and not task["is_open"]:
        raise UserError(
            f"{name} was already {_how_closed(worklist, task)}. Nothing was changed.", 1
        )
    if wish.action == "return" and task["status"] != "deferred":
        raise UserError(f"Task {task['task_id']} is not deferred: it is on the list", 1)
    if wish.action == "reopen":
        _check_reopening(worklist, task)
    if wish.action == "note" and not (wish.reason or "").strip():
        raise UserError("A note needs --reason TEXT", 1)
    if wish.action == "defer":
        if until is None:
            raise UserError("A deferral needs --for or --until", 1)
        deferral.check_deferral(worklist.at, until)
    is_override = wish.action == "complete" and task["manual"] == "override"
    if is_override and not (wish.reason or "").strip():
        raise UserError(
            f"{name} normally clears by itself; completing it by hand is an override and needs --reason",
            1,
        )
    return is_override


def _check_reopening(worklist: Worklist, task: pd.Series) -> None:
    if task["is_open"]:
        raise UserError(f"Task {task['task_id']} is open already", 1)
    if task["status"] != "completed":
        raise UserError(
            f"Task {task['task_id']} was {_how_closed(worklist, task)}; it opens again by itself when its condition returns",
            1,
        )
    if not task["is_latest"]:
        raise UserError(f"Task {task['task_id']} has a newer occurrence; act on that one", 1)


def _how_closed(worklist: Worklist, task: pd.Series) -> str:
    by = (
        "the system"
        if task["closed_by"] == "system"
        else f"{worklist.staff_name(task['closed_by'])} ({task['closed_by']})"
    )
    return f"{task['close_kind'] if task['status'] == 'cleared' else 'completed'} by {by} on {task['closed_at']:%Y-%m-%d %H:%M:%S %Z}"


def _who_was_first(worklist: Worklist, first: Action) -> str:
    name = worklist.staff_name(first.staff_id)
    return (
        f"Task {first.task_id} was already {ACTIONS[first.action].past} by {name} ({first.staff_id}) on {first.at:%Y-%m-%d %H:%M:%S} UTC. "
        "Nothing was changed: look at it again."
    )
