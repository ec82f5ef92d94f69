"""What the commands print: tables for people, CSV and JSON for scripts."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipelines.analytics import backtest as backtest_module
from pipelines.cli import refusals
from pipelines.errors import UserError
from pipelines.extracts import folder as extracts_folder
from pipelines.extracts import read as extracts_read
from pipelines.extracts import rejected
from pipelines.extracts.read import TableRead
from pipelines.ledger import deferral
from pipelines.ledger.ledger import open_ledger
from pipelines.operations import health
from pipelines.operations.logs import log
from pipelines.rules import docs as rules_docs
from pipelines.rules import loading as rules_module
from pipelines.rules import model as rules_model
from pipelines.rules import overrides as rules_overrides
from pipelines.rules.evaluate import SWITCHED_OFF
from pipelines.runs import run as run_module
from pipelines.settings import Settings
from pipelines.vocabulary import CLOSED_BY_RUN, UNASSIGNED
from pipelines.warehouse import snapshots
from pipelines.worklist import actions
from pipelines.worklist.columns import JSON_KEYS, PRINTED_KEYS
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import open_worklist

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
REFUSED_HEADS = ("file", "column", "check", "rows", "first line")
REFUSED_SHOWN = 20  # kinds of refusals a run prints


def run(settings: Settings, folder: Path, as_of: dt.datetime) -> None:
    """One run and its summary."""

    def tell(stage: str) -> None:
        share = run_module.STAGES.index(stage) / len(run_module.STAGES)
        log.info(stage, extra={"event": "run.stage", "share": share})

    report = run_module.run(settings, folder, as_of, tell)
    print(f"Run {report.run_id}, as of {report.as_of.isoformat()}, from {folder}")
    for note in report.notes:
        print(f"note: {note}")
    _print_reads(report.reads)
    rows = [
        (
            answer.rule_id,
            f"{answer.candidates:,}" if answer.is_answered else "withheld",
            *(
                f"{report.decisions.get(answer.rule_id, {}).get(kind, 0):,}"
                for kind in ("open", *CLOSED_BY_RUN, "hold")
            ),
            answer.reason or "",
        )
        for answer in report.answers
    ]
    _print_table(
        (
            "rule",
            "asks for",
            "opened",
            "cleared",
            "converted",
            "discharged",
            "source gone",
            "held",
            "withheld because",
        ),
        rows,
    )
    refused = sum(read.rows_refused for read in report.reads if read.status == "accepted")
    if refused:
        print(
            f"{refused:,} rows refused; they are in {settings.rejected / report.run_id} with line, column and check:"
        )
        _print_table(REFUSED_HEADS, report.refused[:REFUSED_SHOWN])
        if len(report.refused) > REFUSED_SHOWN:
            print(f"… and {len(report.refused) - REFUSED_SHOWN:,} more kinds")
    print(
        f"{report.actions_applied:,} actions of staff applied. Published: {snapshots.current(settings.warehouse)}"
    )
    _log_published(report)


def _log_published(report: run_module.RunReport) -> None:
    """One line that says whether anything was left out."""
    read, refused = (
        sum(r.rows_read for r in report.reads),
        sum(r.rows_refused for r in report.reads),
    )
    not_accepted = [r.table for r in report.reads if r.status != "accepted"]
    withheld = [
        answer.rule_id
        for answer in report.answers
        if not answer.is_answered and answer.reason != SWITCHED_OFF
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
            "opened": counts["open"],
            "closed": sum(counts[kind] for kind in CLOSED_BY_RUN),
            "folded": report.actions_applied,
        },
    )


def backtest(
    settings: Settings,
    rule_id: str,
    texts: Sequence[str],
    folders: Sequence[tuple[Path, dt.datetime]],
) -> None:
    """What a rule would have opened with other parameters: day by day, then the tasks that differ."""
    found = rules_overrides.rules_in_force(settings).rules
    if rule_id not in found:
        raise UserError(f"There is no rule {rule_id}; the rules are {', '.join(found)}", 1)
    changes = backtest_module.changes_from(texts, found[rule_id])
    compared = backtest_module.backtest(
        settings,
        rule_id,
        changes,
        folders,
        lambda share, doing: log.info(doing, extra={"event": "backtest.stage", "share": share}),
    )
    print(
        f"{rule_id} with {', '.join(f'{k}={v}' for k, v in changes.items()) or 'nothing changed'}, over {len(folders)} days of extracts"
    )
    heads = ("as of", "opened now", "opened changed", "open now", "open changed", "withheld")
    columns = ["as_of", "opened_now", "opened_changed", "open_now", "open_changed", "withheld_now"]
    _print_table(
        heads,
        [
            tuple(_plain(value) for value in row)
            for row in compared.days[columns].itertuples(index=False)
        ],
    )
    for title, tasks in (
        ("only with the change", compared.only_changed),
        ("only as it is now", compared.only_now),
        ("earlier with the change", compared.earlier),
    ):
        print(f"\n{len(tasks):,} tasks {title}")
        rows = tasks.head(REFUSED_SHOWN)[
            ["task_id", "subject_id", "facility_id", "since", "opened_at"]
        ]
        _print_table(
            tuple(rows.columns),
            [tuple(_plain(value) for value in row) for row in rows.itertuples(index=False)],
        )


def check(settings: Settings, folder: Path) -> int:
    """The contract report of a folder: every table, and where refused rows stand; 1 when anything is refused."""
    with tempfile.TemporaryDirectory() as scratch:
        con = snapshots.connect()
        reads = extracts_read.read(
            con, extracts_folder.find(folder), {}, Path(scratch), settings.max_loss
        )
        _print_reads(reads)
        counts = rejected.refused_kinds(con)
        con.close()
    if counts:
        _print_table(REFUSED_HEADS, counts)
    is_refused = any(read.status == "refused" or read.rows_refused for read in reads)
    missing = [read.table for read in reads if read.status == "missing"]
    if missing:
        print(f"Not in the folder, so rules that read them will be withheld: {', '.join(missing)}")
    print("Refused: mend the lines above at the source." if is_refused else "Nothing refused.")
    return 1 if is_refused else 0


def show_tasks(settings: Settings, at: dt.datetime, filters: Filters, form: str) -> None:
    """The worklist at a moment in the wanted form."""
    with open_worklist(settings, at) as worklist:
        _show(worklist.tasks(filters), form, JSON_KEYS, PRINTED_KEYS)


def print_tasks(settings: Settings, at: dt.datetime, limit: int) -> None:
    """The oldest pending tasks, and how many there are."""
    with open_worklist(settings, at) as worklist:
        listed = worklist.tasks()
        counts = worklist.counts()
    print(f"\nThe worklist: {len(listed):,} pending tasks")
    _print_table(
        tuple(counts.columns),
        [tuple(_plain(value) for value in row) for row in counts.itertuples(index=False)],
    )
    print(f"\nThe {min(limit, len(listed))} oldest (all: python -m pipelines tasks)")
    _show(listed.head(limit), "table", JSON_KEYS, PRINTED_KEYS)


def show_history(settings: Settings, at: dt.datetime, patient_id: str, form: str) -> None:
    """A patient's pending tasks are in `tasks --patient`; this is all that happened."""
    with open_worklist(settings, at) as worklist:
        events = worklist.history(patient_id)
        _show(events, form, tuple(events.columns), SHORT_HISTORY_KEYS)


def print_health(found: list[health.Check], now: dt.datetime, form: str) -> int:
    """Every check and what they come to; its exit code."""
    status = health.worst(found)
    if form == "json":
        print(
            json.dumps(
                {
                    "status": status,
                    "at": now.isoformat(),
                    "checks": [vars(check) for check in found],
                },
                indent=1,
                ensure_ascii=False,
            )
        )
    else:
        print(status)
        for check in found:
            print(f"{check.check:10}{check.status:11}{check.says}")
    return health.LEVELS.index(status)


def show_accesses(
    settings: Settings, patient_id: str | None, staff_id: str | None, limit: int, form: str
) -> None:
    """The newest looks at this patient, by this person; times in UTC."""
    with open_ledger(settings.ledger_url) as ledger:
        found = ledger.accesses(patient_id=patient_id, staff_id=staff_id, limit=limit)
    _show(
        pd.DataFrame([vars(access) for access in found], columns=list(ACCESS_KEYS)),
        form,
        ACCESS_KEYS,
        ACCESS_KEYS,
    )


def act(settings: Settings, options: argparse.Namespace, at: dt.datetime) -> int:
    """Record one action and say what was recorded."""
    if options.action == "defer" and (options.span is None) == (options.until is None):
        raise UserError(
            "Say either --for SPAN or --until TS: a task can be deferred for 1 day to 14 days", 1
        )
    if options.action != "defer" and (options.span or options.until):
        raise UserError("--for and --until belong to defer", 1)
    if options.action == "assign" and options.to is None:
        raise UserError("Say whom to assign to: --to STAFF, or --to unassigned", 1)
    until = at + deferral.parse_span(options.span) if options.span else options.until
    to_staff_id = None if options.to == UNASSIGNED else options.to
    request = actions.ActionRequest(
        options.task_id, options.action, until, to_staff_id, options.reason, options.seen
    )
    with open_worklist(settings, at) as worklist, open_ledger(settings.ledger_url) as ledger:
        try:
            recorded, refused = actions.act_all(worklist, ledger, options.staff, [request])
        except actions.ActorRefused as error:
            raise UserError(f"--staff {error}", error.exit_code) from None
    if refused:
        raise UserError(refusals.in_words(refused[0].refusal), 1)
    done = recorded[0]
    returns = f"; it returns at {done.action.until.isoformat()}" if done.action.until else ""
    print(
        f"Recorded as {done.action.seq}: {options.action} {options.task_id} ({done.title}) by {options.staff}{returns}"
    )
    return 0


def rules(settings: Settings, what: str) -> int:
    """List the rules in force, write their page, or check every file."""
    if what == "check":
        checked = rules_module.check()
        rules_overrides.rules_in_force(settings)
        print(f"{len(checked)} rules are well formed")
    elif what == "docs":
        page = rules_model.RULES_FOLDER / "README.md"
        page.write_text(rules_docs.docs(rules_module.load_rules()), encoding="utf-8")
        print(f"wrote {page}")
    else:
        applied = rules_overrides.rules_in_force(settings)
        rows = [
            (
                r.rule_id,
                r.category,
                r.title,
                "off" if r.rule_id in applied.disabled else r.clears,
                r.due_days,
                ", ".join(f"{k}={v}" for k, v in r.params.items()),
            )
            for r in applied.rules.values()
        ]
        _print_table(("rule", "category", "title", "clears", "due days", "parameters"), rows)
    return 0


def report(settings: Settings, options: argparse.Namespace, at: dt.datetime) -> int:
    """Write reports and say where they are; progress, "… 40% what it is at", is logged."""
    from pipelines import reports
    from pipelines.reports import write

    def tell(share: float, doing: str) -> None:
        log.info("%.0f%% %s", share * 100, doing, extra={"event": "report.stage", "share": share})

    out = options.out or settings.data / "reports"
    if options.digest:
        if options.notebook or options.last:
            raise UserError(
                "--digest shows one week: name it with --from, any of its days; --to and --notebook belong to the notebooks",
                1,
            )
        written = write.write_digest(
            settings, reports.week(settings, at, options.first, options.facility), out, tell
        )
    else:
        names = list(dict.fromkeys(options.notebook or reports.NOTEBOOKS))
        if unknown := [name for name in names if name not in reports.NOTEBOOKS]:
            raise UserError(
                f"There is no notebook {unknown[0]}; there are {', '.join(reports.NOTEBOOKS)}", 1
            )
        scope = reports.scope(settings, at, options.first, options.last, options.facility)
        written = write.write_notebooks(settings, names, scope, out, tell)
    for path in written:
        print(path)
    return 0


def _print_reads(reads: Sequence[TableRead]) -> None:
    rows = [
        (
            r.table,
            r.status,
            f"{r.rows_read:,}",
            f"{r.rows_staged:,}",
            f"{r.rows_refused:,}",
            r.reason or "; ".join(r.warnings),
        )
        for r in reads
    ]
    _print_table(("table", "status", "read", "staged", "refused", ""), rows)


def _show(
    frame: pd.DataFrame, form: str, keys: tuple[str, ...], short_keys: tuple[str, ...]
) -> None:
    if form == "table":
        _print_table(
            short_keys,
            [
                tuple(_plain(value) for value in row)
                for row in frame[list(short_keys)].itertuples(index=False)
            ],
        )
        return
    rows = [
        {key: _json(value) for key, value in zip(keys, row, strict=True)}
        for row in frame[list(keys)].itertuples(index=False)
    ]
    if form == "json":
        json.dump(rows, sys.stdout, indent=1, ensure_ascii=False)
        print()
    else:
        pd.DataFrame(rows, columns=list(keys), dtype=object).to_csv(sys.stdout, index=False)


def _json(value: object) -> object:
    """A JSON value: ISO days, ISO times with offset, amounts and ages as numbers, null for nothing."""
    if value is None or value is pd.NaT or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat() if value.tzinfo else value.date().isoformat()
    if hasattr(value, "item"):
        return value.item()
    if hasattr(value, "as_tuple"):
        return float(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def _plain(value: object) -> str:
    found = _json(value)
    if isinstance(found, bool):
        return "yes" if found else ""
    return "" if found is None else str(found)


def _print_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [
        min(60, max([len(head), *(len(row[n]) for row in texts)])) for n, head in enumerate(heads)
    ]
    for line in [list(heads), ["-" * width for width in widths], *texts]:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )
