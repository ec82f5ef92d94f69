"""Why an action on a task was refused: the facts, which the command line and the screens word."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum, auto

from pipelines.vocabulary import ACTIONS


class Reason(Enum):
    """What stands against an action."""

    NO_TASK = auto()
    NO_TASK_AT_FACILITIES = auto()  # there may be one at a facility the person may not see
    NO_SUCH_STAFF = auto()  # these three: of the colleague to assign to
    INACTIVE_STAFF = auto()
    OTHER_FACILITIES = auto()
    ACTED_ON_BEFORE = auto()  # by `staff_id`, after the list the person acted on
    CLOSED = auto()
    NOT_DEFERRED = auto()
    EMPTY_NOTE = auto()
    NO_END_OF_DEFERRAL = auto()
    DEFERRAL_TOO_SHORT_OR_LONG = auto()
    NO_REASON = auto()  # for an override
    OPEN = auto()  # these three: it cannot be reopened
    CLOSED_BY_RUN = auto()
    NEWER_OCCURRENCE = auto()


@dataclass(frozen=True)
class Refusal:
    """A reason with its facts; `str` words it with ids and UTC, without any option's name."""

    reason: Reason
    task_id: str
    title: str = ""
    facility_id: str | None = None
    staff_id: str = ""  # the colleague to assign to, or who acted first ("system" for a run)
    staff_name: str = ""
    event: str = ""  # what was done to the task before: an action or a kind of close
    at: dt.datetime | None = None  # when that was done
    detail: str = ""
    patient: str = ""  # as the list names them
    patient_id: str = ""

    @property
    def is_about_colleague(self) -> bool:
        """Whether the colleague to assign to is the problem."""
        return self.reason in (Reason.NO_SUCH_STAFF, Reason.INACTIVE_STAFF, Reason.OTHER_FACILITIES)

    @property
    def past(self) -> str:
        """What was done to the task before, in the past tense."""
        return ACTIONS[self.event].past if self.event in ACTIONS else self.event

    def __str__(self) -> str:
        task = f"Task {self.task_id}"
        actor = (
            "the system" if self.staff_id == "system" else f"{self.staff_name} ({self.staff_id})"
        )
        at = f"{self.at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC" if self.at else ""
        before = f"{self.past} by {actor} on {at}"
        return {
            Reason.NO_TASK: f"There is no task {self.task_id}",
            Reason.NO_TASK_AT_FACILITIES: f"There is no task {self.task_id} at your facilities",
            Reason.NO_SUCH_STAFF: f"{self.staff_id}: there is no such staff member",
            Reason.INACTIVE_STAFF: f"{self.staff_id}: is no longer active",
            Reason.OTHER_FACILITIES: (
                f"{self.staff_id}: works at other facilities and would not see this task"
            ),
            Reason.ACTED_ON_BEFORE: (
                f"{task} was already {before}. Nothing was changed: look at it again."
            ),
            Reason.CLOSED: f"{task} ({self.title}) was already {before}. Nothing was changed.",
            Reason.NOT_DEFERRED: f"{task} is not deferred: it is on the list",
            Reason.EMPTY_NOTE: "A note needs a text",
            Reason.NO_END_OF_DEFERRAL: "A deferral needs an end",
            Reason.DEFERRAL_TOO_SHORT_OR_LONG: self.detail,
            Reason.NO_REASON: (
                f"{task} ({self.title}) normally clears by itself; completing it by hand is an "
                "override and needs a reason"
            ),
            Reason.OPEN: f"{task} is open already",
            Reason.CLOSED_BY_RUN: (
                f"{task} was {before}; it opens again by itself when its condition returns"
            ),
            Reason.NEWER_OCCURRENCE: f"{task} has a newer occurrence; act on that one",
        }[self.reason]
