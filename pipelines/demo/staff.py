"""How the staff of the demo practice work their list: who acts on which task, and how often.

This module only decides, always the same: tasks and a day in, actions out. build.py records them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from pipelines.ledger.actions import NewAction
from pipelines.ledger.deferral import OFFERED

T = TypeVar("T")

SEED = 20
OPENS, OPEN_SECONDS = dt.time(7, 30), 10 * 3600  # the facilities' working day, by their own clocks
SPANS, SPAN_SHARES = ("1d", "2d", "3d", "1w", "2w"), (0.15, 0.15, 0.25, 0.30, 0.15)
# Chances a working day.
ASSIGNS = 0.015  # that somebody in charge gives a task without a person to one
RETURNS = 0.03  # that a deferred task is taken back before its time
REOPENS = 0.008  # that a task completed in the last days turns out not to be done
UNDOES = 0.03  # that somebody who completes a task sees at once that it was the wrong one
RECENT = dt.timedelta(days=3)
HASTE = 3.0  # how much likelier a task is completed once it is overdue

DESK, ADMINISTRATOR, DIRECTOR, CLINICIAN = (
    "Front Desk",
    "Practice Administrator",
    "Therapy Director",
    "Clinical Staff",
)
IN_CHARGE = (ADMINISTRATOR, DIRECTOR)
REOPENED = (
    "Closed too early: it is not settled yet.",
    "The copy on file turned out to be incomplete.",
)
UNDONE, UNDONE_AFTER = "Wrong task clicked.", dt.timedelta(seconds=40)


@dataclass(frozen=True)
class Habit:
    """A working day of a pending task of one type: who works on it, chances, and words."""

    roles: tuple[str, ...]
    completes: float
    defers: float = 0.0
    notes: float = 0.0
    done: tuple[str | None, ...] = (None,)
    waits: tuple[str | None, ...] = (None,)
    says: tuple[str, ...] = ()
    is_owners: bool = True  # the task's owner acts, if it has one, else somebody of the roles


HABITS = {
    "uncollected_payments": Habit(
        (DESK,),
        completes=0.06,
        defers=0.05,
        notes=0.04,
        done=(
            None,
            "Paid by card at the desk.",
            "Paid by check, receipt filed.",
            "Written off by the owner.",
        ),
        waits=("Will pay at the next visit.", "Asked for a statement first.", None),
        says=(
            "Left a voicemail about the balance.",
            "Statement sent.",
            "Card on file has expired.",
        ),
    ),
    "intake_complete": Habit(
        (DESK,),
        completes=0.22,
        defers=0.02,
        done=(None, "Reviewed and filed."),
        waits=("The insurance card is missing.",),
    ),
    "unscheduled_patient": Habit(
        (DESK,),
        completes=0.04,
        defers=0.06,
        notes=0.05,
        done=("Does not want to go on; the therapist knows.", None),
        waits=("Travelling; call again after that.", "Asked to be called next week."),
        says=("Left a voicemail to book.", "Sent a text with the booking link."),
    ),
    "days_since_discharge": Habit(
        (DESK,),
        completes=0.08,
        defers=0.02,
        notes=0.02,
        done=(None, "Called: doing well."),
        says=("No answer, will try again.",),
    ),
    "failed_fax": Habit(
        (DESK,),
        completes=0.18,
        defers=0.03,
        notes=0.03,
        done=("Number corrected and sent again.", None),
        says=("Asked the office for its number.",),
        is_owners=False,
    ),
    "faxing_required": Habit(
        (DESK,),
        completes=0.02,
        defers=0.04,
        done=("Handed to the patient for the physician.",),
        is_owners=False,
    ),
    "pending_signature": Habit(
        (DESK,),
        completes=0.05,
        defers=0.05,
        notes=0.03,
        done=("Signed copy scanned in.", None),
        waits=("The office signs on Thursdays.", "The physician is away.", None),
        says=("Called the office: they ask for it again.", "Sent the office a reminder."),
        is_owners=False,
    ),
    "benefit_verification_required": Habit(
        (ADMINISTRATOR,),
        completes=0.12,
        defers=0.03,
        notes=0.03,
        done=(None, "Verified by phone."),
        waits=("The payer's portal is down.", None),
        says=("On hold with the payer for half an hour.",),
    ),
    "benefit_verification_complete": Habit(
        (ADMINISTRATOR,),
        completes=0.18,
        defers=0.01,
        done=(None, "Benefits explained to the patient."),
    ),
    "authorization_expiring": Habit(
        (ADMINISTRATOR,),
        completes=0.02,
        defers=0.06,
        notes=0.05,
        done=("The last visit is before it ends.", "The payer says none is needed any more."),
        waits=("Requested; the payer takes three days.",),
        says=("Request sent with the progress note.",),
    ),
    "authorization_limit": Habit(
        (ADMINISTRATOR,),
        completes=0.08,
        defers=0.06,
        done=("More visits granted by phone.",),
        waits=("More visits requested.",),
    ),
    "authorization_required_documents": Habit(
        (ADMINISTRATOR,),
        completes=0.03,
        defers=0.06,
        notes=0.03,
        done=("Uploaded in the payer's own portal.",),
        waits=("Asked the referring office for it.",),
        says=("The letter is in the referral's attachments.",),
    ),
    "claim_submission_hold": Habit(
        (ADMINISTRATOR,),
        completes=0.03,
        defers=0.05,
        notes=0.04,
        done=("Billed on paper.",),
        waits=("Waiting for the coder.",),
        says=("The modifier is in question.",),
    ),
    "refund_request": Habit(
        (ADMINISTRATOR,),
        completes=0.05,
        defers=0.04,
        notes=0.02,
        done=("Check mailed.",),
        waits=("The owner signs on Fridays.",),
        says=("Amount checked.",),
    ),
    "draft_documents": Habit(
        (CLINICIAN,),
        completes=0.03,
        defers=0.03,
        notes=0.01,
        done=("Twice in the chart; the other one is completed.", "Not treated that day."),
        waits=("Waiting for the measurements.", None),
        says=("Will finish it after my last visit.",),
    ),
    "review_documents": Habit(
        (DIRECTOR,),
        completes=0.10,
        defers=0.02,
        notes=0.02,
        done=(None, "Reviewed."),
        says=("Asked for measurable goals.",),
    ),
    "mips": Habit(
        (CLINICIAN, DIRECTOR),
        completes=0.07,
        defers=0.04,
        done=(None, "Handed out at the visit."),
        waits=("At the next visit.",),
    ),
}
# Of a rule that a practice has added.
OTHER = Habit((ADMINISTRATOR,), completes=0.05, done=("Done by hand.",))


@dataclass(frozen=True)
class People:
    """The ids of active people by facility and role, and the facilities' time zones."""

    by_place: Mapping[tuple[str, str], Sequence[str]]
    active: frozenset[str]
    zones: Mapping[str, ZoneInfo]

    @classmethod
    def of(cls, staff: pd.DataFrame, facilities: pd.DataFrame) -> People:
        """The people of a worklist, from its staff and facilities."""
        active = staff[staff["is_active"]].sort_values("staff_id")
        by_place: dict[tuple[str, str], list[str]] = defaultdict(list)
        for facility_id, role, staff_id in active[["facility_id", "role", "staff_id"]].itertuples(
            index=False, name=None
        ):
            by_place[facility_id, role].append(staff_id)
        zones = zip(facilities["facility_id"], facilities["time_zone"], strict=True)
        return cls(
            by_place,
            frozenset(active["staff_id"]),
            {facility_id: ZoneInfo(zone) for facility_id, zone in zones},
        )

    def one_of(self, facility_id: str, roles: Sequence[str], share: float) -> str:
        """The id of somebody of a facility in one of the roles."""
        return _one(
            [staff_id for role in roles for staff_id in self.by_place[facility_id, role]], share
        )


class ListedTask(NamedTuple):
    """A row of the list; `staff_id` is no text where the task has no owner."""

    task_id: str
    rule_id: str
    status: str
    facility_id: str
    staff_id: str | None
    overdue: bool
    manual: str
    is_latest: bool
    closed_at: dt.datetime


@dataclass(frozen=True)
class Rolls:
    """The random numbers of a day for one task, each from 0 to 1."""

    what: float
    when: float
    who: float
    word: float
    whether: float


def actions_on(day: dt.date, tasks: pd.DataFrame, people: People) -> list[NewAction]:
    """What people do on a working day, in order of time; `tasks` as listed that morning."""
    ordered = tasks.sort_values("task_id")
    rolls = np.random.default_rng([SEED, day.toordinal()]).random(
        (len(ordered), len(Rolls.__dataclass_fields__))
    )
    found: list[NewAction] = []
    rows = ordered[list(ListedTask._fields)].itertuples(index=False, name=None)
    for row, chances in zip(rows, rolls.tolist(), strict=True):
        task = ListedTask(*row)
        roll = Rolls(*chances)
        at = _moment(day, people.zones[task.facility_id], roll.when)
        if task.status == "pending":
            found += _on_pending(task, at, roll, people)
        elif task.status == "deferred" and roll.what < RETURNS:
            found.append(NewAction(task.task_id, "return", _who(task, roll, people), at))
        elif (
            task.status == "completed"
            and task.is_latest
            and roll.what < REOPENS
            and at - task.closed_at < RECENT
        ):
            found.append(
                NewAction(
                    task.task_id,
                    "reopen",
                    _who(task, roll, people),
                    at,
                    reason=_one(REOPENED, roll.word),
                )
            )
    return sorted(found, key=lambda new: (new.at, new.task_id))


def _on_pending(task: ListedTask, at: dt.datetime, roll: Rolls, people: People) -> list[NewAction]:
    """None, one, or for somebody who undoes it two actions."""
    habit, who = HABITS.get(task.rule_id, OTHER), _who(task, roll, people)
    if (left := roll.what - habit.completes * (HASTE if task.overdue else 1.0)) < 0:
        done = NewAction(
            task.task_id,
            "complete",
            who,
            at,
            reason=_one(habit.done, roll.word),
            is_override=task.manual == "override",
        )
        undone = NewAction(task.task_id, "reopen", who, at + UNDONE_AFTER, reason=UNDONE)
        return [done, undone] if roll.whether < UNDOES else [done]
    if (left := left - habit.defers) < 0:
        span = SPANS[int(np.searchsorted(np.cumsum(SPAN_SHARES)[:-1], roll.whether, side="right"))]
        return [
            NewAction(
                task.task_id,
                "defer",
                who,
                at,
                until=at + OFFERED[span],
                reason=_one(habit.waits, roll.word),
            )
        ]
    if (left := left - habit.notes) < 0:
        return [NewAction(task.task_id, "note", who, at, reason=_one(habit.says, roll.word))]
    if left < ASSIGNS and not isinstance(task.staff_id, str):
        boss = people.one_of(task.facility_id, IN_CHARGE, roll.whether)
        return [
            NewAction(
                task.task_id,
                "assign",
                boss,
                at,
                to_staff_id=people.one_of(task.facility_id, habit.roles, roll.who),
            )
        ]
    return []


def _who(task: ListedTask, roll: Rolls, people: People) -> str:
    habit = HABITS.get(task.rule_id, OTHER)
    if habit.is_owners and isinstance(task.staff_id, str) and task.staff_id in people.active:
        return task.staff_id
    return people.one_of(task.facility_id, habit.roles, roll.who)


def _moment(day: dt.date, zone: ZoneInfo, share: float) -> dt.datetime:
    return (
        dt.datetime.combine(day, OPENS, zone) + dt.timedelta(seconds=int(share * OPEN_SECONDS))
    ).astimezone(dt.UTC)


def _one(choices: Sequence[T], share: float) -> T:
    return choices[int(share * len(choices))]
