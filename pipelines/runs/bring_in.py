"""Bring in groups of tasks that a run set aside at the go-live; the next run opens them."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.errors import UserError
from pipelines.ledger.brought_in import BroughtIn
from pipelines.ledger.ledger import Ledger
from pipelines.runs import history, managers
from pipelines.runs.history import SetAsideGroup
from pipelines.worklist.worklist import Worklist


@dataclass(frozen=True)
class Group:
    """The set-aside tasks of a rule at a facility; brought in, they wait for the next run."""

    tasks: SetAsideGroup
    is_brought_in: bool

    @property
    def name(self) -> str:
        """The task type and the facility."""
        return f"{self.tasks.title} · {self.tasks.facility or 'no facility'}"


def groups(worklist: Worklist, ledger: Ledger) -> list[Group]:
    """What the newest run set aside at the facilities this reader sees."""
    asked = {(row.rule_id, row.facility_id) for row in ledger.brought_in()}
    return [
        Group(found, (found.rule_id, found.facility_id) in asked)
        for found in history.set_aside(worklist.con)
    ]


def bring_in(
    worklist: Worklist, ledger: Ledger, staff_id: str, rule_id: str, facility_id: str | None = None
) -> list[Group]:
    """Record that a manager brings in a rule's tasks at a facility, or wherever they see any.

    UserError when they may not, or nothing is set aside there.
    """
    managers.check(worklist, staff_id, "bring in tasks that are set aside")
    wanted = [
        group
        for group in groups(worklist, ledger)
        if group.tasks.rule_id == rule_id and facility_id in (None, group.tasks.facility_id)
    ]
    place = f" at {facility_id}" if facility_id else ""
    if not wanted:
        raise UserError(f"No tasks of {rule_id}{place} are set aside", 1)
    new = [group for group in wanted if not group.is_brought_in]
    if not new:
        raise UserError(f"{rule_id}{place} is brought in already; the next run opens its tasks", 1)
    ledger.bring_in(
        [BroughtIn(worklist.at, staff_id, rule_id, group.tasks.facility_id) for group in new]
    )
    return new
