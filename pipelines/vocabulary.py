"""Every closed list of the project with its labels: say a value here once and read it from here."""

from __future__ import annotations

from dataclasses import dataclass

CATEGORIES = ("Administrative", "Billing", "Clinical", "Patient Engagement", "Referral Management")

PATIENT_STATUSES = ("Active", "Inactive", "Referral")

# The extract tables: without the first three there is no list; a practice may have none of others.
ALWAYS_NEEDED = ("facilities", "patients", "cases")
MAY_BE_ABSENT = (
    "staff",
    "payers",
    "policies",
    "authorizations",
    "appointments",
    "payments",
    "claims",
    "claim_holds",
    "documents",
    "faxes",
    "intake_submissions",
    "engagement_actions",
    "surveys",
)

ADMINISTRATOR_ID = "administrator"  # the staff id of the person named in the settings
ADMINISTRATOR_ROLE = "Practice Administrator"
ROLES = (
    "Front Desk",
    "Clinical Staff",
    "Therapy Director",
    ADMINISTRATOR_ROLE,
    "Business Owner",
)


@dataclass(frozen=True)
class ActionKind:
    """What a person can do to a task: the event it records, and what messages call it once done.

    `undone_by` is the action that takes it back; None where Undo does not offer one.
    """

    event: str
    past: str
    past_with_object: str
    undone_by: str | None = None


ACTIONS = {
    "complete": ActionKind("completed", "completed", "completed", "reopen"),
    "defer": ActionKind("deferred", "deferred", "deferred", "return"),
    "return": ActionKind("returned", "returned to the list", "returned to the list"),
    "reopen": ActionKind("reopened", "reopened", "reopened"),
    "assign": ActionKind("assigned", "assigned", "assigned"),
    "note": ActionKind("noted", "noted", "noted on"),
}
ACTIONS_ON_OPEN_TASKS = ("complete", "defer", "return", "assign")


@dataclass(frozen=True)
class CloseKind:
    """How a task ends: the long label of its event, the short one for a table, its group in GROUPS.

    `is_work_done` says whether the work was done; time to clear censors the others.
    """

    label: str
    short_label: str
    group: str
    is_by_person: bool = False
    is_work_done: bool = False


CLOSE_KINDS = {
    "cleared": CloseKind("Cleared by the system", "Cleared", "by_system", is_work_done=True),
    "withdrawn": CloseKind("Withdrawn: no longer asked for", "Withdrawn", "withdrawn"),
    # The work goes on in the task that it became.
    "converted": CloseKind("Became another task", "Became another", "by_system"),
    "completed": CloseKind("Completed", "Completed", "completed", True, True),
    "override": CloseKind("Completed by hand (override)", "Override", "override", True, True),
    "discharged": CloseKind("Closed: case discharged", "Discharged", "discharged"),
    "source_gone": CloseKind("Closed: record gone from the EMR", "Record gone", "source_gone"),
}
CLOSE_GROUPS = {  # as reports count how tasks end
    "by_system": "Cleared by the system",
    "completed": "Completed by people",
    "override": "Overridden",
    "withdrawn": "Withdrawn",
    "discharged": "Discharged",
    "source_gone": "Record gone",
}
CLOSED_BY_RUN = tuple(name for name, kind in CLOSE_KINDS.items() if not kind.is_by_person)
CLOSED_BY_PERSON = tuple(name for name, kind in CLOSE_KINDS.items() if kind.is_by_person)
WORK_DONE = tuple(name for name, kind in CLOSE_KINDS.items() if kind.is_work_done)
GROUPED_CLOSE_KINDS = {
    group: tuple(name for name, kind in CLOSE_KINDS.items() if kind.group == group)
    for group in CLOSE_GROUPS
}
CLOSE_GROUP_OF = {name: kind.group for name, kind in CLOSE_KINDS.items()}
ENTERS_LIST = ("opened", "reopened", "came_back")  # the events that put a task on the list
# Rules whose tasks wait for money to be moved; amounts of others would count it twice.
MONEY_TYPES = ("uncollected_payments", "refund_request")

EVENTS = {
    "opened": "Opened",
    "converted_from": "Continued from another task",
    **{name: kind.label for name, kind in CLOSE_KINDS.items() if not kind.is_by_person},
    "came_back": "Back in the EMR, goes on as before",
    "patient_changed": "Moved to another patient's chart",
    "owner_changed": "Owner changed in the EMR",
    "updated": "Changed in the EMR",
    **{name: kind.label for name, kind in CLOSE_KINDS.items() if kind.is_by_person},
    "deferred": "Deferred",
    "returned": "Returned to the list",
    "reopened": "Reopened",
    "assigned": "Assigned",
    "noted": "Note",
}

STATUSES = {  # of a list; overdue is pending and past its due day, open is pending or deferred
    "pending": "Pending",
    "overdue": "Overdue",
    "deferred": "Deferred",
    "open": "All open",
    "closed": "Closed",
    "all": "Open and closed",
}
OPEN_STATUSES = ("pending", "overdue", "deferred", "open")
STANDINGS = {name: STATUSES[name] for name in ("overdue", "deferred")}  # in the evening of a day

AGE_BANDS = {  # days, both ends included
    "0-1": "0–1 days",
    "2-3": "2–3 days",
    "4-7": "4–7 days",
    "8-14": "8–14 days",
    "15-30": "15–30 days",
    "31-": "31 days or more",
}
OLDEST_AGE_BAND = "31-"

RETURN_DAYS = 30  # a new task of the same subject within so many days means the old one returned
HAPPENINGS = {  # beside how a task ended
    "deferred": "Deferred",
    "deferred_again": "Deferred more than once",
    "reopened": "Reopened",
    "returned": f"Came back within {RETURN_DAYS} days as a new task",
}

ME, UNASSIGNED, SELF_PAY = "me", "unassigned", "self-pay"  # values that stand for no id

# The lists that SQL needs, as its parameters.
SQL_LISTS = {
    "every_close_kind": list(CLOSE_KINDS),
    "closed_by_person": list(CLOSED_BY_PERSON),
    "money_types": list(MONEY_TYPES),
    "enters_list": list(ENTERS_LIST),
    "events_of_owner": [*ENTERS_LIST, "owner_changed", "assigned", *CLOSE_KINDS],
    "events_of_deferral": ["deferred", "returned", *CLOSE_KINDS],  # that begin or end one
    # The last of these says whether a task is deferred; a run that closes it leaves the deferral.
    "words_on_deferral": ["deferred", "returned", "reopened", *CLOSED_BY_PERSON],
}
