"""One run: read → stage → ask the rules → decide → publish. It publishes all of it or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.errors import UserError, disk_problem
from pipelines.extracts import folder as extracts_folder
from pipelines.extracts import read as extracts_read
from pipelines.extracts import rejected
from pipelines.extracts.outcome import Limits, TableRead
from pipelines.extracts.rejected import RefusedKind
from pipelines.ledger import belonging
from pipelines.ledger.actions import Action
from pipelines.ledger.ledger import open_ledger
from pipelines.lifecycle import decide
from pipelines.lifecycle import go_live as go_live_module
from pipelines.lifecycle.context import GoLive, PreviousRun, RunContext
from pipelines.lifecycle.go_live import Proposal, SetAside
from pipelines.rules import evaluate
from pipelines.rules import overrides as rules_overrides
from pipelines.rules.evaluate import RuleResult
from pipelines.runs import history, previous, record
from pipelines.runs.guards import accepting, deliveries, effects
from pipelines.runs.guards.model import Acceptances, Tripped
from pipelines.runs.record import GuardRow
from pipelines.settings import Settings
from pipelines.staging.stage import Stager
from pipelines.warehouse import snapshots, undone

# The stages that `tell` reports, in order, and the words for them on screens.
STAGES = {
    "reading and staging": "reading the data",
    "asking the rules": "applying the rules",
    "bringing tasks up to date": "updating the tasks",
    "publishing": "publishing the list",
}


@dataclass(frozen=True)
class RunReport:
    """What a run did: tables read, rules asked, counts of decisions by rule and kind."""

    run_id: str
    as_of: dt.datetime
    reads: tuple[TableRead, ...]
    answers: tuple[RuleResult, ...]
    decisions: Mapping[str, Mapping[str, int]]
    actions_applied: int
    notes: tuple[str, ...]
    refused: tuple[RefusedKind, ...]
    go_live: GoLive = GoLive()
    set_aside: tuple[SetAside, ...] = ()
    proposal: Proposal | None = None
    guards: tuple[GuardRow, ...] = ()


class Known(NamedTuple):
    """What the ledger knows: actions that are due and that wait, groups brought in by as_of.

    `early` are those that wait for their task, which only a run that was undone had opened.
    """

    due: list[Action]
    waiting: list[Action]
    early: list[Action]
    brought_in: list[tuple[str, str | None]]


def run(
    settings: Settings,
    folder: Path,
    as_of: dt.datetime,
    tell: Callable[[str], None] = lambda stage: None,
    go_live: dt.date | None = None,
) -> RunReport:
    """Run over a folder of extracts at a moment (aware) and publish all of it, or UserError.

    `go_live` sets the practice's go-live for this run and those after it. A first list that nobody
    has worked with then begins anew.
    """
    applied = rules_overrides.rules_in_force(settings)
    with snapshots.one_run_at_a_time(settings.warehouse), _connection(settings) as con:
        before = previous.attach_previous(con, settings.warehouse)
        if go_live is not None and before.run_no == 1 and not _has_actions(settings):
            before = previous.begin_anew(con, before)
        if before.as_of is not None and as_of < before.as_of:
            raise UserError(
                f"The published list already speaks for {before.as_of:%Y-%m-%d %H:%M:%S %Z}; "
                f"a run for {as_of:%Y-%m-%d %H:%M:%S %Z} would go back in time. "
                + snapshots.way_back(settings.warehouse)
            )
        day = go_live or settings.go_live or before.go_live.day
        history_days = settings.history_days
        if history_days is None:
            history_days = before.go_live.history_days
        return _run(
            RunContext(
                con,
                settings,
                folder,
                as_of,
                applied,
                before,
                GoLive(day, history_days),
            ),
            tell,
        )


def _run(run: RunContext, tell: Callable[[str], None]) -> RunReport:
    tell("reading and staging")
    with extracts_folder.opened(run.folder) as found:
        snapshots.attach_new(run.con, snapshots.building(run.settings.warehouse, run.run_id))
        run = replace(run, ledger_id=_check_ledger(run.settings, run.previous))
        accepted = _accepted(run)
        reads, tripped = _read_and_stage(run, found, accepted)

    tell("asking the rules")
    if reads["payers"].status == "accepted":
        evaluate.check_payers(run.con, run.applied, str(run.settings.settings_file))
    answers = evaluate.evaluate(run.con, run.applied, reads, run.as_of)

    tell("bringing tasks up to date")
    known = _known(run)
    decide.apply_due_actions(run, known.due, known.early)
    set_aside = go_live_module.set_aside(run, known.brought_in)
    unexplained = decide.decide(run, answers, reads)
    tripped += _guard_effects(run, accepted)
    decisions = decide.write(run, reads)
    for group in set_aside:
        of_rule = decisions.setdefault(group.rule_id, {})
        of_rule["set_aside"] = of_rule.get("set_aside", 0) + group.tasks
    proposal = go_live_module.proposal(run)
    answers = [
        replace(answer, reason=unexplained.get(answer.rule_id, answer.reason)) for answer in answers
    ]

    tell("publishing")
    record.record(run, list(reads.values()), answers, decisions)
    guards = record.record_guards(run, tripped, accepted)
    record.record_set_aside(run, set_aside)
    record.record_actions(run, known.due, known.waiting, proposal)
    record.finish(run)
    snapshots.publish(run.con, run.settings.warehouse, run.run_id)
    return RunReport(
        run.run_id,
        run.as_of,
        tuple(reads.values()),
        tuple(answers),
        decisions,
        len(known.due),
        found.notes,
        tuple(rejected.refused_kinds(run.con)),
        run.go_live,
        tuple(set_aside),
        proposal,
        tuple(guards),
    )


def _read_and_stage(
    run: RunContext, found: extracts_folder.Folder, accepted: Acceptances
) -> tuple[dict[str, TableRead], list[Tripped]]:
    """Read and stage every table of the contract; the outcomes by table, and guards that tripped.

    A table that a guard holds is refused, and the rows of the run before stand in its place.
    """
    # The SQL reads staging.*; what pages show is a view of the snapshot's table.
    run.con.execute("CREATE SCHEMA staging")
    stager = Stager(
        run.con,
        run.as_of,
        previous.staged_tables(run.con),
        run.applied.authorization_codes,
    )
    reads = extracts_read.read(
        run.con,
        found,
        dict(run.previous.tables),
        run.settings.rejected / run.run_id,
        Limits(
            run.settings.max_loss,
            run.settings.max_refused,
            frozenset(accepted.rows),
            run.settings.absent | found.absent,
        ),
        stager,
    )
    if any(read.table == "staff" and read.was_never_delivered for read in reads):
        stager.admit(run.settings.administrator, run.settings.administrator_email)
    tripped = deliveries.judge(run.con, reads, run.previous.tables, run.settings.guards)
    held = accepted.held(tripped)
    for place, read in enumerate(reads):
        of_table = deliveries.of_table(held, read.table)
        if of_table and read.status == "accepted":
            stager.refuse(read.table)
            reads[place] = deliveries.refused(read, of_table)
    appointments = next(read for read in reads if read.table == "appointments")
    stager.load_derived(
        {
            read.table
            for read in reads
            if read.was_read_before and read.status not in ("accepted", "absent")
        },
        dt.date.max if appointments.was_never_delivered else appointments.since_on,
    )
    return {read.table: read for read in reads}, tripped


def _guard_effects(run: RunContext, accepted: Acceptances) -> list[Tripped]:
    """Hold what would close or open far beyond the usual, unless a person accepted it."""
    tripped = effects.judge(run, accepted)
    held = accepted.held(tripped)
    if held:
        effects.hold(run.con, held)
    return tripped


def _check_ledger(settings: Settings, before: PreviousRun) -> str:
    """The id of the ledger; UserError when it is not the one that the list was made with."""
    with open_ledger(settings.ledger_url, is_listed=before.of_list is not None) as ledger:
        if before.of_list is None:
            return belonging.check_without_list(ledger, settings.warehouse).ledger_id
        return belonging.check(ledger, before.of_list).ledger_id


def _has_actions(settings: Settings) -> bool:
    with open_ledger(settings.ledger_url) as ledger:
        return ledger.last_seq() > 0


def _accepted(run: RunContext) -> Acceptances:
    """What people accepted of the guards of the run before."""
    with open_ledger(run.settings.ledger_url) as ledger:
        return accepting.of_run(
            ledger.accepted_guards(),
            run.previous.run_no,
            undone.read(run.settings.warehouse),
        )


def _known(run: RunContext) -> Known:
    """What the ledger knows; actions dated after as_of wait for a later run."""
    with open_ledger(run.settings.ledger_url) as ledger:
        actions = ledger.actions(after=run.previous.applied_seq, also=run.previous.waiting)
        groups = ledger.brought_in()
    come = [action for action in actions if action.at <= run.as_of]
    listed = history.listed(run.con, {action.task_id for action in come}, "previous.tasks")
    early = [action for action in come if action.task_id not in listed]
    return Known(
        [action for action in come if action.task_id in listed],
        [action for action in actions if action.at > run.as_of or action in early],
        early,
        sorted({(row.rule_id, row.facility_id) for row in groups if row.at <= run.as_of}, key=str),
    )


@contextmanager
def _connection(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for a run; failures become UserErrors without a patient's values."""
    con = snapshots.connect()
    try:
        yield con
    except duckdb.Error as error:
        raise _failure(error, settings) from error
    except OSError as error:
        raise UserError(
            f"The run could not be finished: {error.strerror}: "
            f"{error.filename or settings.data}. The previous list stays live."
        ) from error
    finally:
        con.close()
        snapshots.remove_unfinished(settings.warehouse)


def _failure(error: duckdb.Error, settings: Settings) -> UserError:
    # DuckDB quotes the values it was working on, so only disk errors are shown in full.
    is_of_disk = isinstance(error, duckdb.IOException) or (
        isinstance(error, duckdb.FatalException) and "fsync" in str(error)
    )
    # The cause may be in its last line.
    says = f" {' '.join(str(error).split()).rstrip('!.')}." if is_of_disk else ""
    if not says and (why := disk_problem(settings.warehouse)):
        says = f" {settings.warehouse}: {why}."
    live = snapshots.current(settings.warehouse)
    if live is not None and live.name in says:
        return UserError(snapshots.damaged(live, error))
    return UserError(
        f"The run could not be finished ({type(error).__name__}).{says} "
        "The previous list stays live."
    )
