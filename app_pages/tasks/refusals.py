"""Refused actions in the words of the screens: names and local times, no ids."""

from __future__ import annotations

from app_pages.session import times
from pipelines.worklist.refusals import Reason, Refusal
from pipelines.worklist.worklist import Worklist


def in_words(worklist: Worklist, refusal: Refusal) -> str:
    """Why an action was refused, as plain text."""
    actor = "the system" if refusal.staff_id == "system" else refusal.staff_name
    before = f"{refusal.past} by {actor}"
    if refusal.at is not None:
        facilities = [refusal.facility_id] if refusal.facility_id else []
        before += f" on {times.local_times(worklist, facilities, refusal.at)}"
    task = f"“{refusal.title}” for {refusal.patient}"
    return {
        Reason.NO_TASK: "This task is not on any list.",
        Reason.NO_TASK_AT_FACILITIES: "This task is not on the lists of your facilities.",
        Reason.NO_SUCH_STAFF: "There is no such staff member.",
        Reason.INACTIVE_STAFF: f"{refusal.staff_name} is no longer active.",
        Reason.OTHER_FACILITIES: (
            f"{refusal.staff_name} works at other facilities and would not see {task}."
        ),
        Reason.ACTED_ON_BEFORE: (
            f"{task} was already {before}. Nothing was changed: look at it again."
        ),
        Reason.CLOSED: f"{task} was already {before}. Nothing was changed.",
        Reason.NOT_DEFERRED: f"{task} is not deferred: it is on the list.",
        Reason.EMPTY_NOTE: "A note needs a text.",
        Reason.NO_END_OF_DEFERRAL: "Choose how long to defer the task.",
        Reason.DEFERRAL_TOO_SHORT_OR_LONG: "A task can be deferred for 1 day to 14 days.",
        Reason.NO_REASON: (
            f"{task} normally clears by itself; completing it by hand is an override and needs "
            "a reason."
        ),
        Reason.OPEN: f"{task} is open already.",
        Reason.CLOSED_BY_RUN: (
            f"{task} was {before}; it opens again by itself when its condition returns."
        ),
        Reason.NEWER_OCCURRENCE: f"There is a newer task for the same: act on that {task}.",
    }[refusal.reason]
