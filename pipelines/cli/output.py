"""What the commands print: tables and CSV for people, JSON for scripts."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines import csv_files
from pipelines.analytics.backtest import Comparison
from pipelines.errors import UserError
from pipelines.extracts.outcome import TableRead
from pipelines.ledger.ledger import Access
from pipelines.operations import health
from pipelines.operations.backup import Backup
from pipelines.operations.logs import log
from pipelines.operations.source_check import SourceCheck
from pipelines.reports.cells import Cell, is_missing
from pipelines.rules.evaluate import SWITCHED_OFF, RuleResult
from pipelines.rules.model import Applied
from pipelines.runs.guards.model import age_in_words
from pipelines.runs.run import RunReport
from pipelines.settings import Settings
from pipelines.vocabulary import CLOSED_BY_RUN
from pipelines.warehouse import snapshots
from pipelines.worklist.columns import JSON_KEYS, PRINTED_KEYS
from pipelines.worklist.worklist import Worklist

SHORT_HISTORY_KEYS = (
    "happened_at",
    "event",
    "title",
    "task_id",
    "staff",
    "reason",
    "deferred_until",
    "to_staff",
)
ACCESS_KEYS = ("seq", "at", "staff_id", "patient_id", "kind", "detail")
RULE_HEADS = ("rule", "asks for", "opened", *(kind.replace("_", " ") for kind in CLOSED_BY_RUN))
SET_ASIDE_HEADS = ("rule", "facility", "tasks", "oldest")
GUARD_HEADS = ("guard", "what it holds", "held")
REFUSED_HEADS = ("file", "column", "check", "rows", "first line")
MOST_ROWS = 20  # of refused rows by kind, and of tasks of a backtest
WIDEST = 60  # characters of a column

Refused = tuple[str, str, str, int, int]  # file, column, check, rows, first line
JsonValue = str | int | float | None


def print_run(report: RunReport, folder: Path, settings: Settings) -> None:
    """The summary of one run."""
    print(f"Run {report.run_id}, as of {report.as_of.isoformat()}, from {folder}")
    for note in report.notes:
        print(f"note: {note}")
    _print_reads(report.reads)
    _print_rules(report)
    refused = sum(kind.rows for kind in report.refused)
    if refused:
        place = settings.rejected / report.run_id
        print(f"{refused:,} rows refused; they are in {place} with line, column and check:")
        _print_table(REFUSED_HEADS, report.refused[:MOST_ROWS])
        if len(report.refused) > MOST_ROWS:
            print(f"… and {len(report.refused) - MOST_ROWS:,} more kinds")
    _print_guards(report)
    _print_go_live(report)
    live = snapshots.current(settings.warehouse)
    print(f"{report.actions_applied:,} actions of staff applied. Published: {live}")
    _log_published(report)


def _print_guards(report: RunReport) -> None:
    """What guards hold, and what people accepted."""
    held = [guard for guard in report.guards if guard.accepted_by is None]
    for guard in report.guards:
        if guard.accepted_by is not None:
            why = f"{guard.accepted_by}: {guard.accepted_reason}"
            print(f"accepted by {why}: {guard.guard}: {guard.says}")
    if not held:
        return
    print(f"{len(held):,} guards hold what this delivery would do:")
    rows = [
        (guard.guard, guard.says, age_in_words(guard.held_from, guard.runs, report.as_of))
        for guard in held
    ]
    _print_table(GUARD_HEADS, rows)
    print(
        "Correct the delivery at its source. If it is true, a manager accepts it: "
        "python -m pipelines run --accept GUARD --staff ID --reason TEXT"
    )


def _print_go_live(report: RunReport) -> None:
    """What was set aside at the go-live, or the go-live that the run proposes."""
    if report.set_aside:
        tasks = sum(group.tasks for group in report.set_aside)
        print(
            f"{tasks:,} tasks that fell due before the go-live are set aside "
            "(python -m pipelines bring-in RULE opens those of a rule):"
        )
        rows = [
            (group.rule_id, group.facility_id or "", f"{group.tasks:,}", str(group.oldest_on))
            for group in report.set_aside
        ]
        _print_table(SET_ASIDE_HEADS, rows)
    if report.proposal:
        print(
            f"{report.proposal.old_tasks:,} of {report.proposal.tasks:,} tasks fell due more than "
            f"{report.go_live.history_days} days ago. If the practice begins to work with the list "
            "now, set aside what came before, as long as nobody has worked with this list: "
            f"python -m pipelines run --go-live {report.proposal.day}"
        )


def _print_rules(report: RunReport) -> None:
    rows = []
    for answer in report.answers:
        decided = report.decisions.get(answer.rule_id, {})
        candidates = f"{answer.candidates:,}" if answer.is_answered else _not_asked(answer)
        kinds = ("open", *CLOSED_BY_RUN, "hold", "set_aside")
        counts = [f"{decided.get(kind, 0):,}" for kind in kinds]
        rows.append((answer.rule_id, candidates, *counts, answer.reason or ""))
    _print_table((*RULE_HEADS, "held", "set aside", "withheld or held because"), rows)


def _not_asked(answer: RuleResult) -> str:
    return "withheld" if answer.is_connected else "not connected"


def _log_published(report: RunReport) -> None:
    """Log one line that says what was published and whether anything was left out."""
    read = sum(r.rows_read for r in report.reads)
    refused = sum(r.rows_refused for r in report.reads)
    not_accepted = [r.table for r in report.reads if r.status != "accepted" and not r.is_absent]
    withheld = [
        answer.rule_id
        for answer in report.answers
        if not answer.is_answered and answer.is_connected and answer.reason != SWITCHED_OFF
    ]
    counts = {
        kind: sum(rule.get(kind, 0) for rule in report.decisions.values())
        for kind in ("open", *CLOSED_BY_RUN)
    }
    parts = [f"published {report.run_id}: {read:,} rows read, {refused:,} refused"]
    parts += [
        f"{what}: {', '.join(names)}"
        for what, names in (("not accepted", not_accepted), ("withheld", withheld))
        if names
    ]
    log.log(
        logging.WARNING if not_accepted or withheld else logging.INFO,
        "%s",
        "; ".join(parts),
        extra={
            "event": "run.published",
            "run_id": report.run_id,
            "as_of": report.as_of.isoformat(),
            "rows_read": read,
            "rows_refused": refused,
            "not_accepted": not_accepted,
            "withheld": withheld,
            "in_part": [a.rule_id for a in report.answers if a.unseen],
            "not_connected": [a.rule_id for a in report.answers if not a.is_connected],
            "opened": counts["open"],
            "closed": sum(counts[kind] for kind in CLOSED_BY_RUN),
            "folded": report.actions_applied,
            "set_aside": {
                rule_id: decided["set_aside"]
                for rule_id, decided in report.decisions.items()
                if decided.get("set_aside")
            },
            "proposed_go_live": str(report.proposal.day) if report.proposal else None,
        },
    )


def print_backtest(compared: Comparison) -> None:
    """What a rule opened as it is and as changed: day by day, then the tasks that differ."""
    changes = ", ".join(f"{name}={value}" for name, value in compared.changed.items())
    days = compared.days
    what = f"{compared.rule_id} with {changes or 'nothing changed'}"
    print(f"{what}, over {len(days)} days of extracts")
    heads = ("as of", "opened now", "opened changed", "open now", "open changed", "withheld")
    columns = ["as_of", "opened_now", "opened_changed", "open_now", "open_changed", "withheld_now"]
    _print_table(heads, _text_rows(days[columns]))
    for title, tasks in (
        ("only with the change", compared.only_changed),
        ("only as it is now", compared.only_now),
        ("earlier with the change", compared.earlier),
    ):
        print(f"\n{len(tasks):,} tasks {title}")
        columns = ["task_id", "subject_id", "facility_id", "since", "opened_at"]
        _print_table(columns, _text_rows(tasks.head(MOST_ROWS)[columns]))


def print_check(reads: Sequence[TableRead], kinds: Sequence[Refused]) -> int:
    """What the contract refuses: every table, then the refused rows by kind; 1 if there are any."""
    _print_reads(reads)
    if kinds:
        _print_table(REFUSED_HEADS, kinds)
    is_refused = any(read.status == "refused" or read.rows_refused for read in reads)
    absent = [read.table for read in reads if read.is_absent]
    if absent:
        print(f"Not connected (practice.absent in the settings): {', '.join(absent)}")
    print("Refused: correct the lines above at the source." if is_refused else "Nothing refused.")
    return 1 if is_refused else 0


def print_source_check(found: SourceCheck) -> int:
    """What would come of a delivery: files, tables, refused rows, rules, first tasks; 0 if good."""
    print(
        f"delivered {found.imported.extracted_at:%Y-%m-%d %H:%M} UTC; nothing is published or kept"
    )
    for note in found.imported.notes:
        print(f"note: {note}")
    for table, why in found.imported.held.items():
        print(f"held: {table}: {why}")
    _print_reads(found.reads)
    if found.refused:
        _print_table(REFUSED_HEADS, found.refused[:MOST_ROWS])
    print()
    _print_table(
        ("rule", "answers", "tasks", "why"),
        [(rule.rule_id, rule.answers, f"{rule.tasks:,}", rule.says) for rule in found.rules],
    )
    print(f"\n{found.tasks:,} tasks; the first {len(found.first_tasks)}:")
    _print_table(
        ("task", "patient", "facility", "since", "reason"),
        [
            (task.title, task.patient_id, task.facility_id, str(task.since), task.reason)
            for task in found.first_tasks
        ],
    )
    if found.lacking:
        print(f"A practice needs at least these tables, and they lack: {', '.join(found.lacking)}")
    return 0 if found.is_good else 1


def print_tasks(tasks: pd.DataFrame, form: str) -> None:
    """The rows of Worklist.tasks as table, csv or json."""
    _print_frame(tasks, form, JSON_KEYS, PRINTED_KEYS)


def print_oldest(worklist: Worklist, most: int) -> None:
    """The counts of pending tasks and the oldest of them."""
    tasks, counts = worklist.tasks(), worklist.counts()
    print(f"\nThe worklist: {len(tasks):,} pending tasks")
    _print_table([str(name) for name in counts.columns], _text_rows(counts))
    print(f"\nThe {min(most, len(tasks))} oldest (all: python -m pipelines tasks)")
    print_tasks(tasks.head(most), "table")


def print_history(events: pd.DataFrame, form: str) -> None:
    """The rows of Worklist.history as table, csv or json."""
    _print_frame(events, form, tuple(events.columns), SHORT_HISTORY_KEYS)


def print_accesses(found: Sequence[Access], form: str) -> None:
    """Looks at patients as table, csv or json; times in UTC."""
    rows = pd.DataFrame([vars(access) for access in found], columns=list(ACCESS_KEYS))
    _print_frame(rows, form, ACCESS_KEYS, ACCESS_KEYS)


def print_health(checks: Sequence[health.Check], now: dt.datetime, form: str) -> int:
    """Every check and the worst status; the exit code of that status."""
    status = health.worst(list(checks))
    if form == "json":
        found = [vars(check) for check in checks]
        answer = {"status": status, "at": now.isoformat(), "checks": found}
        print(json.dumps(answer, indent=1, ensure_ascii=False))
    else:
        print(status)
        for check in checks:
            print(f"{check.check:10}{check.status:11}{check.says}")
    return health.LEVELS.index(status)


def print_rules(applied: Applied) -> None:
    """The rules in force with their parameters."""
    rows = [
        (
            rule.rule_id,
            rule.category,
            rule.title,
            "off" if rule.rule_id in applied.disabled else rule.clears,
            str(rule.due_days),
            ", ".join(f"{name}={value}" for name, value in rule.params.items()),
        )
        for rule in applied.rules.values()
    ]
    _print_table(("rule", "category", "title", "clears", "due days", "parameters"), rows)
    for rule_id, why in applied.broken.items():
        print(f"{rule_id} is withheld: {why}")


def write_page(page: Path, text: str) -> None:
    """Write a page and say where; UserError when it cannot be written."""
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{page}: cannot be written ({error.strerror})") from error
    print(f"wrote {page}")


def contents_of(backup: Backup) -> str:
    """The rows and the snapshot of a backup, in one line."""
    rows = ", ".join(f"{count:,} {table}" for table, count in backup.rows.items())
    list_in_it = (
        "no list was published yet" if backup.snapshot is None else f"snapshot {backup.snapshot}"
    )
    return f"{rows}; {list_in_it}"


def _print_reads(reads: Sequence[TableRead]) -> None:
    rows = [
        (
            read.table,
            read.status,
            f"{read.rows_read:,}",
            f"{read.rows_staged:,}",
            f"{read.rows_refused:,}",
            read.reason or "; ".join(read.warnings),
        )
        for read in reads
    ]
    _print_table(("table", "status", "read", "staged", "refused", ""), rows)
    missing = [read.table for read in reads if read.status == "missing"]
    if missing:
        print(
            f"Missing: {', '.join(missing)}. "
            "A table that the practice never delivers belongs in practice.absent of the settings."
        )


def _print_frame(
    rows: pd.DataFrame, form: str, keys: Sequence[str], short_keys: Sequence[str]
) -> None:
    """All `keys` as csv or json, or the short ones as a table."""
    if form == "table":
        _print_table(short_keys, _text_rows(rows[list(short_keys)]))
        return
    if form == "csv":
        sys.stdout.write(csv_files.csv_text(rows[list(keys)], _json))
        return
    records = [
        {key: _json(value) for key, value in zip(keys, row, strict=True)}
        for row in _cells(rows[list(keys)])
    ]
    json.dump(records, sys.stdout, indent=1, ensure_ascii=False)
    print()


def _cells(rows: pd.DataFrame) -> Iterable[tuple[Cell, ...]]:
    return zip(*(rows[name] for name in rows.columns), strict=True)


def _text_rows(rows: pd.DataFrame) -> list[list[str]]:
    return [[_text(value) for value in row] for row in _cells(rows)]


def _json(value: Cell) -> JsonValue:
    """A JSON value: ISO days, ISO times with offset, numbers, None for a missing value."""
    if value is None or is_missing(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat() if value.tzinfo else value.date().isoformat()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def _text(value: Cell) -> str:
    found = _json(value)
    if isinstance(found, bool):
        return "yes" if found else ""
    return "" if found is None else str(found)


def _print_table(heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [
        min(WIDEST, max([len(head), *(len(row[n]) for row in texts)]))
        for n, head in enumerate(heads)
    ]
    for line in [list(heads), ["-" * width for width in widths], *texts]:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        print("  ".join(cells).rstrip())
