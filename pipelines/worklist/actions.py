"""What people may do to a task, and recording it: checks the task's state and who acted first."""

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
from pipelines.worklist.refusals import Reason, Refusal
from pipelines.worklist.visibility import Facilities
from pipelines.worklist.worklist import Worklist


@dataclass(frozen=True)
class ActionRequest:
    """What a person asks of one task.

    `seen` is the ledger number of the task as they saw it, None for the worklist's. A deferral
    ends at `until`, or `span` after it is recorded.
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
    """A recorded action; `assigned_to_id` had the task assigned before (None: nobody)."""

    action: Action
    title: str
    assigned_to_id: str | None


@dataclass(frozen=True)
class Rejected:
    """A request that was not recorded, and why."""

    request: ActionRequest
    refusal: Refusal


class ActorRefused(UserError):
    """The person who asks may not act: "<staff id>: <why>"."""


@dataclass(frozen=True)
class Colleague:
    """Somebody to assign to: why they cannot be, and the facilities they are limited to."""

    problem: Reason | None
    name: str
    facilities: Facilities


def act(worklist: Worklist, ledger: Ledger, staff_id: str, request: ActionRequest) -> Recorded:
    """Record one person's action at the worklist's moment; UserError says why it is refused."""
    done, rejected = act_all(worklist, ledger, staff_id, [request])
    if rejected:
        raise UserError(str(rejected[0].refusal), 1)
    return done[0]


def act_all(
    worklist: Worklist, ledger: Ledger, staff_id: str, requests: Sequence[ActionRequest]
) -> tuple[list[Recorded], list[Rejected]]:
    """Record what can be recorded of one person's requests, in one transaction.

    Recorded and rejected ones come in the order of the requests. ActorRefused when the person
    may not act at all.
    """
    if problem := _colleague(worklist, staff_id).problem:
        raise ActorRefused(str(Refusal(problem, "", staff_id=staff_id)), 1)
    if not requests:
        return [], []
    ids = tuple(request.task_id for request in requests)
    rows = worklist.tasks(Filters(status="all", task_ids=ids))
    tasks = {task["task_id"]: task for _, task in rows.iterrows()}
    newest = _newest(worklist, ledger, requests, tasks)
    colleagues = {
        request.to_staff_id: _colleague(worklist, request.to_staff_id)
        for request in requests
        if request.action == "assign" and request.to_staff_id is not None
    }
    allowed: list[tuple[NewAction, int]] = []
    places: dict[int, int] = {}  # a new action, by its identity: two requests may be equal
    refusals: dict[int, Refusal] = {}
    for place, request in enumerate(requests):
        task = tasks.get(request.task_id)
        refusal = _refusal(worklist, request, task, newest, colleagues)
        if refusal is not None or task is None:
            refusals[place] = refusal or Refusal(Reason.NO_TASK, request.task_id)
            continue
        new = _action(worklist, staff_id, request, task)
        allowed.append((new, _seen(request, task)))
        places[id(new)] = place
    recorded, conflicts = ledger.record_many(allowed)
    for conflict in conflicts:
        task = tasks[conflict.refused.task_id]
        refusals[places[id(conflict.refused)]] = _acted_on(worklist, task, conflict.latest)
    return [_recorded(action, tasks[action.task_id]) for action in recorded], [
        Rejected(requests[place], refusals[place]) for place in sorted(refusals)
    ]


def undo(
    worklist: Worklist, ledger: Ledger, staff_id: str, done: Sequence[Recorded]
) -> tuple[list[Recorded], list[Rejected]]:
    """Take back what one person has just done, where nobody acted since.

    That is: reopen, return to the list, assign as before.
    """
    requests = []
    for before in done:
        action = before.action
        if action.action == "assign":
            requests.append(
                ActionRequest(
                    action.task_id, "assign", to_staff_id=before.assigned_to_id, seen=action.seq
                )
            )
        elif undone_by := ACTIONS[action.action].undone_by:
            requests.append(ActionRequest(action.task_id, undone_by, seen=action.seq))
    return act_all(worklist, ledger, staff_id, requests)


def _recorded(action: Action, task: pd.Series) -> Recorded:
    before = task["assigned_to_id"]
    return Recorded(action, str(task["title"]), None if pd.isna(before) else str(before))


def _seen(request: ActionRequest, task: pd.Series) -> int:
    return int(task["last_seq"]) if request.seen is None else request.seen


def _newest(
    worklist: Worklist,
    ledger: Ledger,
    requests: Sequence[ActionRequest],
    tasks: Mapping[str, pd.Series],
) -> dict[str, Action]:
    """By task, the newest action that a request may not have known of.

    It is newer than the list, or newer than what the person had seen.
    """
    overtaken = {
        int(tasks[request.task_id]["last_seq"])
        for request in requests
        if request.task_id in tasks
        and request.seen is not None
        and request.seen < int(tasks[request.task_id]["last_seq"])
    }
    # The list lacks few actions; reading the whole ledger would take longer every year.
    return {
        action.task_id: action
        for action in ledger.actions(after=worklist.state.seq, also=sorted(overtaken))
    }


def _colleague(worklist: Worklist, staff_id: str) -> Colleague:
    row = snapshots.one(
        worklist.con,
        "SELECT s.is_active, s.name, s.role, s.facility_id "
        "FROM staging.staff AS s WHERE s.staff_id = $staff_id",
        {"staff_id": staff_id},
    )
    if row is None:
        return Colleague(Reason.NO_SUCH_STAFF, staff_id, None)
    is_active, name, role, facility_id = row
    facilities = worklist.settings.access.facilities_of(staff_id, role, facility_id)
    return Colleague(None if is_active else Reason.INACTIVE_STAFF, name, facilities)


def _refusal(
    worklist: Worklist,
    request: ActionRequest,
    task: pd.Series | None,
    newest: Mapping[str, Action],
    colleagues: Mapping[str, Colleague],
) -> Refusal | None:
    """Why the request cannot be recorded, None where it can."""
    if task is None:
        is_limited = worklist.state.facility_ids is not None
        reason = Reason.NO_TASK_AT_FACILITIES if is_limited else Reason.NO_TASK
        return Refusal(reason, request.task_id)
    to = colleagues.get(request.to_staff_id or "") if request.action == "assign" else None
    if to is not None:
        problem = to.problem
        if to.facilities is not None and task["facility_id"] not in to.facilities:
            problem = problem or Reason.OTHER_FACILITIES
        if problem is not None:
            to_id = request.to_staff_id or ""
            return _about(problem, task, staff_id=to_id, staff_name=to.name)
    latest = newest.get(request.task_id)
    if latest is not None and latest.seq > _seen(request, task):
        return _acted_on(worklist, task, latest)
    return _state_refusal(worklist, request, task)


def _state_refusal(worklist: Worklist, request: ActionRequest, task: pd.Series) -> Refusal | None:
    """Why the task's state does not allow the action, None where it does."""
    has_reason = bool((request.reason or "").strip())
    if request.action in ACTIONS_ON_OPEN_TASKS and not task["is_open"]:
        return _closed(worklist, Reason.CLOSED, task)
    if request.action == "return" and task["status"] != "deferred":
        return _about(Reason.NOT_DEFERRED, task)
    if request.action == "reopen":
        return _reopen_refusal(worklist, task)
    if request.action == "note" and not has_reason:
        return _about(Reason.EMPTY_NOTE, task)
    if request.action == "defer":
        until = _until(worklist, request)
        if until is None:
            return _about(Reason.NO_END_OF_DEFERRAL, task)
        try:
            deferral.check_deferral(worklist.at, until)
        except UserError as error:
            return _about(Reason.DEFERRAL_TOO_SHORT_OR_LONG, task, detail=str(error))
    if _is_override(request, task) and not has_reason:
        return _about(Reason.NO_REASON, task)
    return None


def _reopen_refusal(worklist: Worklist, task: pd.Series) -> Refusal | None:
    if task["is_open"]:
        return _about(Reason.OPEN, task)
    if task["status"] != "completed":
        return _closed(worklist, Reason.CLOSED_BY_RUN, task)
    return None if task["is_latest"] else _about(Reason.NEWER_OCCURRENCE, task)


def _action(
    worklist: Worklist, staff_id: str, request: ActionRequest, task: pd.Series
) -> NewAction:
    return NewAction(
        request.task_id,
        request.action,
        staff_id,
        worklist.at,
        _until(worklist, request),
        request.to_staff_id,
        request.reason,
        _is_override(request, task),
    )


def _until(worklist: Worklist, request: ActionRequest) -> dt.datetime | None:
    return request.until if request.span is None else worklist.at + request.span


def _is_override(request: ActionRequest, task: pd.Series) -> bool:
    return bool(request.action == "complete" and task["manual"] == "override")


def _about(
    reason: Reason, task: pd.Series, *, staff_id: str = "", staff_name: str = "", detail: str = ""
) -> Refusal:
    return Refusal(
        reason,
        str(task["task_id"]),
        str(task["title"]),
        _facility_id(task),
        staff_id,
        staff_name,
        detail=detail,
        patient=str(task["patient"]),
        patient_id=str(task["patient_id"]),
    )


def _facility_id(task: pd.Series) -> str | None:
    return None if pd.isna(task["facility_id"]) else str(task["facility_id"])


def _closed(worklist: Worklist, reason: Reason, task: pd.Series) -> Refusal:
    return Refusal(
        reason,
        str(task["task_id"]),
        str(task["title"]),
        _facility_id(task),
        task["closed_by"],
        "" if task["closed_by"] == "system" else worklist.staff_name(task["closed_by"]),
        task["close_kind"] if task["status"] == "cleared" else "completed",
        task["closed_at"].to_pydatetime(),
        patient=str(task["patient"]),
        patient_id=str(task["patient_id"]),
    )


def _acted_on(worklist: Worklist, task: pd.Series, first: Action) -> Refusal:
    return Refusal(
        Reason.ACTED_ON_BEFORE,
        first.task_id,
        str(task["title"]),
        _facility_id(task),
        first.staff_id,
        worklist.staff_name(first.staff_id),
        first.action,
        first.at,
        patient=str(task["patient"]),
        patient_id=str(task["patient_id"]),
    )
