"""Try a delivery of a source without publishing or keeping anything: what would come of it."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.extracts.outcome import TableRead
from pipelines.extracts.rejected import RefusedKind
from pipelines.rules import overrides
from pipelines.runs import run as runs
from pipelines.settings import Settings
from pipelines.sources import importing, kept
from pipelines.sources.importing import Imported
from pipelines.sources.mapping import SourceMapping
from pipelines.worklist.worklist import open_worklist

MOST_TASKS = 20
LEAST = ("facilities", "patients", "cases")  # without these no rule answers


@dataclass(frozen=True)
class RuleAnswer:
    """Whether a rule can answer: fully, in part, not, or not connected, and why."""

    rule_id: str
    title: str
    answers: str
    says: str
    tasks: int


@dataclass(frozen=True)
class FirstTask:
    """A task that the delivery would open."""

    title: str
    patient_id: str
    facility_id: str
    since: dt.date
    reason: str


@dataclass(frozen=True)
class SourceCheck:
    """What a delivery would give: the import, the contract's judgement, rules, first tasks."""

    imported: Imported
    reads: tuple[TableRead, ...]
    refused: tuple[RefusedKind, ...]
    rules: tuple[RuleAnswer, ...]
    first_tasks: tuple[FirstTask, ...]
    tasks: int

    @property
    def lacking(self) -> tuple[str, ...]:
        """Those of LEAST that were not accepted."""
        accepted = {read.table for read in self.reads if read.status == "accepted"}
        return tuple(table for table in LEAST if table not in accepted)

    @property
    def is_good(self) -> bool:
        """Whether nothing is held, refused or lacking."""
        return not (self.imported.held or self.refused or self.lacking)


def check(
    settings: Settings, source: SourceMapping, delivery: Path, as_of: dt.datetime | None = None
) -> SourceCheck:
    """Import and run a delivery in a folder that is thrown away; UserError if nothing can be read.

    What earlier deliveries left in the store is used, in a copy.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-check-") as name:
        scratch = Path(name)
        home = scratch / "sources"
        before = settings.sources / source.name / kept.FILE
        if before.exists():
            (home / source.name).mkdir(parents=True)
            shutil.copyfile(before, home / source.name / kept.FILE)
        request = importing.Request(source, delivery, scratch / "extracts", as_of, home)
        imported = importing.import_delivery(
            replace(request, max_loss=settings.max_loss, is_trial=True)
        )
        alone = replace(
            settings,
            data=scratch / "data",
            ledger_url=f"sqlite:///{scratch / 'ledger.sqlite'}",
            go_live=None,
        )
        report = runs.run(alone, request.out, imported.extracted_at)
        with open_worklist(alone, imported.extracted_at) as worklist:
            tasks = worklist.tasks()
        applied = overrides.rules_in_force(alone)
        counts = tasks["rule_id"].value_counts().to_dict()
        answers = [
            RuleAnswer(
                answer.rule_id,
                applied.rules[answer.rule_id].title,
                _answers(answer),
                answer.reason or "",
                int(counts.get(answer.rule_id, 0)),
            )
            for answer in report.answers
            if answer.rule_id in applied.rules
        ]
        first = [
            FirstTask(
                str(row["title"]),
                str(row["patient_id"]),
                str(row["facility_id"]),
                row["since"],
                str(row["reason"]),
            )
            for row in tasks.head(MOST_TASKS).to_dict("records")
        ]
    return SourceCheck(
        imported, report.reads, report.refused, tuple(answers), tuple(first), len(tasks)
    )


def _answers(answer: runs.RuleResult) -> str:
    if not answer.is_connected:
        return "not connected"
    if not answer.is_answered:
        return "no"
    return "in part" if answer.reason else "yes"
