"""Accept what the guards of the newest run hold; the next run then publishes it."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.errors import UserError
from pipelines.ledger.accepted_guards import AcceptedGuard
from pipelines.ledger.ledger import Ledger
from pipelines.runs import history, managers
from pipelines.runs.guards.model import Acceptances
from pipelines.runs.history import HeldGuard
from pipelines.warehouse.undone import UndoneRun
from pipelines.worklist.worklist import Worklist

EVERY = "all"


def accept(
    worklist: Worklist, ledger: Ledger, staff_id: str, wanted: Sequence[str], reason: str
) -> list[HeldGuard]:
    """Record that a manager accepts these guards of the newest run, or all of them ("all").

    UserError when they may not, without a reason, or when a guard holds nothing.
    """
    managers.check(worklist, staff_id, "accept what a guard holds")
    if not reason.strip():
        raise UserError("To accept what a guard holds needs a reason", 1)
    held = {guard.guard: guard for guard in history.held_guards(worklist.con)}
    if not held:
        raise UserError("No guard of the last run holds anything", 1)
    unknown = sorted({*wanted} - {*held, EVERY})
    if unknown:
        raise UserError(
            f"The last run has no guard {', '.join(unknown)}; it has {', '.join(sorted(held))}", 1
        )
    chosen = list(held.values()) if EVERY in wanted else [held[guard] for guard in wanted]
    ledger.accept_guards(
        [
            AcceptedGuard(worklist.at, staff_id, guard.guard, guard.run_no, reason.strip())
            for guard in chosen
        ]
    )
    return chosen


def of_run(
    rows: Sequence[AcceptedGuard], run_no: int, undone: Sequence[UndoneRun] = ()
) -> Acceptances:
    """What people accepted of the guards of this run; the newest word on each counts.

    An acceptance of a run that was undone, or that led to it, does not count again.
    """
    used = max((run.acceptances for run in undone if run.back_to_run_no <= run_no), default=0)
    return Acceptances({row.guard: row for row in rows[used:] if row.run_no == run_no})
