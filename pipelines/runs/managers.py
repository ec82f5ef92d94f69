"""Who may decide for the practice: bring in old tasks, accept what a guard holds."""

from __future__ import annotations

from pipelines.errors import UserError
from pipelines.warehouse import snapshots
from pipelines.worklist.worklist import Worklist


def is_manager(worklist: Worklist, role: str) -> bool:
    """Whether somebody with this role may decide it (practice.manager_roles of the settings)."""
    return role in worklist.settings.manager_roles


def check(worklist: Worklist, staff_id: str, what: str) -> None:
    """UserError when this staff member may not do `what`, such as "bring in tasks"."""
    found = snapshots.one(
        worklist.con,
        "SELECT s.is_active, s.role FROM staging.staff AS s WHERE s.staff_id = $staff_id",
        {"staff_id": staff_id},
    )
    if found is None:
        raise UserError(f"{staff_id}: there is no such staff member", 1)
    is_active, role = found
    if not is_active:
        raise UserError(f"{staff_id}: this staff member is not active", 1)
    if not is_manager(worklist, role):
        roles = ", ".join(worklist.settings.manager_roles) or "nobody"
        raise UserError(f"{staff_id}: only {roles} may {what}", 1)
