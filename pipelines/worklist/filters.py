"""What managers and analysts measure of the list: flow and backlog, age, time to clear, how tasks end, who holds them, money waiting.

Days are the facility's. A week runs from Sunday to Saturday. Every number is of tasks that Worklist.tasks lists with the same filters.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

# What numbers are split by, as queries have it in `split`.
SPLIT_COLUMNS = {
    "category": "category",
    "type": "rule_id",
    "facility": "facility_id",
    "payer": "payer_key",
    "staff": "staff_key",
}
# What a list may be ordered by, and the column that says so; ties by age, then id, so that every page of it is stable.
ORDERS = {
    "since": "since",
    "task": "title",
    "patient": "patient",
    "payer": "payer",
    "staff": "staff",
    "due": "due_on",
    "age": "age_days",
    "amount": "amount",
    "facility": "facility",
    "status": "status",
}


@dataclass(frozen=True)
class Filters:
    """Which tasks to list; an empty tuple or None means any.

    Status overdue means pending and older than the rule's due days, open means pending or deferred. Payer 'self-pay' and
    staff 'unassigned' name the absent. The days are the facility's: the tasks that were open in the evening of `open_on`, or at any
    time from the evening of `open_since` to it, and stood as STOOD then; that came in from the first to the last day of `in_`; that
    went out in those of `out_` (see lifecycle/stays.sql). `close_kinds` is how tasks ended, and with days of leaving how they left in
    those: who left twice may have ended in two ways. `happened` names HAPPENINGS.
    """

    status: str = "pending"
    facility_ids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()
    payer_ids: tuple[str, ...] = ()
    staff_ids: tuple[str, ...] = ()
    age_bands: tuple[str, ...] = ()
    patient_id: str | None = None
    task_ids: tuple[str, ...] = ()
    close_kinds: tuple[str, ...] = ()
    happened: tuple[str, ...] = ()
    open_on: dt.date | None = None
    open_since: dt.date | None = None
    stood_as: str | None = None
    in_from: dt.date | None = None
    in_to: dt.date | None = None
    out_from: dt.date | None = None
    out_to: dt.date | None = None


CHOSEN = ("facility_ids", "categories", "rule_ids", "payer_ids", "staff_ids", "age_bands")
COUNTED_BY = ("status", *CHOSEN)


@dataclass(frozen=True)
class Order:
    """How a list is ordered: a name of ORDERS, and whether the largest comes first."""

    by: str = "since"
    is_descending: bool = False


def is_counted(filters: Filters) -> bool:
    """Whether the filters choose only by what the counts tell apart."""
    return all(
        getattr(filters, field.name) == field.default
        for field in fields(filters)
        if field.name not in COUNTED_BY
    )
