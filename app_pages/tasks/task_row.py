"""A row of Worklist.tasks with the columns that cards, panels and short lists show."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple


class TaskRow(NamedTuple):
    """One task: days are the facility's, `deferred_until` and `closed_at` are aware."""

    task_id: str
    rule_id: str
    title: str
    category: str
    subject_id: str
    patient_id: str
    patient: str
    case_id: str | None
    facility_id: str | None
    facility: str | None
    payer: str | None
    staff: str
    reason: str
    since: dt.date
    due_on: dt.date
    age_days: int
    active_age_days: int
    amount: Decimal | None
    status: str
    is_open: bool
    overdue: bool
    manual: str
    deferred_until: dt.datetime | None
    returns_at: dt.datetime | None  # deferred_until on the facility's clock, without a zone
    closed_at: dt.datetime | None
    closed_by: str | None
    close_kind: str | None
    last_seq: int
