"""The proof after the app's benchmark: the ledger holds exactly the actions the pages reported."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.bench.staff import Row, Told
from pipelines.ledger.actions import Action
from pipelines.ledger.ledger import open_ledger
from pipelines.settings import Settings
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import open_worklist


@dataclass(frozen=True)
class Proof:
    """Counts of actions: acknowledged, refused, lost, recorded unasked, and completed twice."""

    acknowledged: int
    refused: int
    lost: int
    unasked: int
    doubled: int


def prove(
    settings: Settings, at: dt.datetime, after: int, told_to: Mapping[str, Sequence[Told]]
) -> Proof:
    """Compare what each person, by name, was told with the ledger's actions after a number."""
    with open_ledger(settings.ledger_url) as ledger:
        actions = ledger.actions(after=after)
    with open_worklist(settings, at) as worklist:
        staff = worklist.staff()
        tasks = worklist.tasks(
            Filters(
                status="all",
                task_ids=tuple({action.task_id for action in actions}) or ("none",),
            )
        )
    labels = {row.staff_id: f"{row.name} – {row.role}" for row in staff.itertuples()}
    rows = {
        str(task_id): Row(str(title), str(patient), str(reason), str(since)[:10])
        for task_id, title, patient, reason, since in zip(
            *(tasks[name] for name in ("task_id", "title", "patient", "reason", "since")),
            strict=True,
        )
    }
    recorded = Counter(
        (labels[action.staff_id], action.action, rows[action.task_id]) for action in actions
    )
    acknowledged = Counter(
        (name, told.action, row)
        for name, all_told in told_to.items()
        for told in all_told
        for row in _done(told)
    )
    return Proof(
        acknowledged=acknowledged.total(),
        refused=sum(len(told.refused) for all_told in told_to.values() for told in all_told),
        lost=(acknowledged - recorded).total(),
        unasked=(recorded - acknowledged).total(),
        doubled=doubled(actions),
    )


def _done(told: Told) -> Counter[Row]:
    """The rows that were acted on, without those refused."""
    return Counter(told.rows) - Counter(told.refused)


def doubled(actions: Sequence[Action]) -> int:
    """How often a task was completed that was completed already."""
    completed: set[str] = set()
    doubled = 0
    for action in actions:
        if action.action == "complete":
            doubled += action.task_id in completed
            completed.add(action.task_id)
        elif action.action == "reopen":
            completed.discard(action.task_id)
    return doubled
