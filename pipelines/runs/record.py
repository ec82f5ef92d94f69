"""The record a run leaves in its snapshot: what it read and asked, and what came of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipelines.extracts.outcome import TableRead
from pipelines.ledger.actions import Action
from pipelines.lifecycle.context import RunContext
from pipelines.lifecycle.go_live import Proposal, SetAside
from pipelines.rules import sql as rules_sql
from pipelines.rules.evaluate import RuleResult
from pipelines.runs import sql
from pipelines.runs.guards.model import Acceptances, Tripped
from pipelines.vocabulary import CLOSED_BY_RUN
from pipelines.warehouse import snapshots
from pipelines.warehouse.run_tables import RUN_TABLES
from pipelines.worklist import layout


def record(
    run: RunContext,
    reads: Sequence[TableRead],
    answers: Sequence[RuleResult],
    decisions: Mapping[str, Mapping[str, int]],
) -> None:
    """Record the tables read, the rules asked, and the counts of decisions by rule and kind."""
    for name in RUN_TABLES:
        run.con.execute(f"CREATE TABLE snapshot.{name} ({RUN_TABLES[name]})")
    _append(run, "run_tables", [_table_row(run, read) for read in reads])
    _append(
        run,
        "run_rules",
        [_rule_row(run, answer, decisions.get(answer.rule_id, {})) for answer in answers],
    )
    run.con.execute(
        "INSERT INTO snapshot.rejected_rows BY NAME " + sql("rejected_now"), {"run_no": run.run_no}
    )
    snapshots.insert(
        run.con,
        "snapshot.rules",
        [
            (
                r.rule_id,
                r.title,
                r.category,
                r.clears,
                r.clears_when,
                r.purpose,
                r.due_days,
                r.version,
            )
            for r in run.applied.rules.values()
        ],
    )
    # The tasks of a rule that was taken away stay, so its title and category stay, too.
    if _has_previous(run, "rules"):
        # The columns are those of this software: the rules of earlier snapshots have no version.
        run.con.execute(
            "CREATE OR REPLACE TEMP VIEW previous_rules AS "
            "FROM snapshot.rules WHERE FALSE UNION ALL BY NAME FROM previous.rules"
        )
        run.con.execute("INSERT INTO snapshot.rules BY NAME " + sql("retired_rules"))


class GuardRow(NamedTuple):
    """One row of the table `guards`: a guard that tripped, since when, and who accepted it."""

    run_no: int
    guard: str
    kind: str
    table_name: str | None
    rule_id: str | None
    facility_id: str | None
    concerned: int
    total: int
    says: str
    runs: int
    held_from: dt.datetime
    accepted_by: str | None
    accepted_reason: str | None


def record_guards(
    run: RunContext, tripped: Sequence[Tripped], accepted: Acceptances
) -> list[GuardRow]:
    """Record the guards that tripped, with the runs in a row in which they did."""
    before: dict[str, tuple[int, dt.datetime]] = {}
    if _has_previous(run, "guards"):
        rows = run.con.execute(
            "SELECT g.guard, g.runs, g.held_from FROM previous.guards AS g "
            "WHERE g.run_no = $run_no AND g.accepted_by IS NULL",
            {"run_no": run.previous.run_no},
        ).fetchall()
        before = {guard: (runs, held_from) for guard, runs, held_from in rows}
    found = []
    for guard in tripped:
        runs, held_from = before.get(guard.guard, (0, run.as_of))
        word = accepted.rows.get(guard.guard)
        found.append(
            GuardRow(
                run.run_no,
                guard.guard,
                guard.kind,
                guard.table,
                guard.rule_id,
                guard.facility_id,
                guard.concerned,
                guard.total,
                guard.says,
                runs + 1,
                held_from,
                word.staff_id if word else None,
                word.reason if word else None,
            )
        )
    _append(run, "guards", [tuple(row) for row in found])
    return found


def record_set_aside(run: RunContext, groups: Sequence[SetAside]) -> None:
    """Record what was set aside at the go-live, by rule and facility."""
    rows = [(group.rule_id, group.facility_id, group.tasks, group.oldest_on) for group in groups]
    snapshots.insert(run.con, "snapshot.set_aside", rows)


def record_actions(
    run: RunContext,
    due: Sequence[Action],
    waiting: Sequence[Action],
    proposal: Proposal | None = None,
) -> None:
    """Record the run itself with the newest action it knows, and the actions it left for later."""
    newest = max([run.previous.applied_seq, *(action.seq for action in (*due, *waiting))])
    row = (
        run.run_no,
        run.run_id,
        run.as_of,
        newest,
        json.dumps(_parameters(run), sort_keys=True),
        str(run.folder.resolve()),
        run.go_live.day,
        run.go_live.history_days,
        proposal.day if proposal else None,
        proposal.old_tasks if proposal else None,
        run.ledger_id,
    )
    _append(run, "runs", [row])
    snapshots.insert(run.con, "snapshot.waiting_actions", [(action.seq,) for action in waiting])


def _parameters(run: RunContext) -> dict[str, object]:
    """The parameters by rule; those of a rule that was taken away or is broken stay as they were.

    So the run after its return can say what changed.
    """
    now: dict[str, object] = {
        rule_id: {"params": rule.params, "payers": run.applied.payers.get(rule_id, {})}
        for rule_id, rule in run.applied.rules.items()
    }
    if not _has_previous(run, "runs"):
        return now
    (text,) = snapshots.first(run.con, rules_sql("previous_parameters"))
    rows = run.con.execute("SELECT r.rule_id FROM snapshot.rules AS r").fetchall()
    with_tasks = {rule_id for (rule_id,) in rows}
    kept = {rule_id: of for rule_id, of in json.loads(text).items() if rule_id in with_tasks}
    return {**kept, **now}


def finish(run: RunContext) -> None:
    """Add what makes the snapshot quick to read, and the layout it has."""
    layout.create_closed_tasks(run.con, run.as_of)
    # Histories and actions look up few tasks: 3 ms instead of 50 among two million events.
    run.con.execute("CREATE INDEX events_of_task ON snapshot.events (task_id)")
    run.con.execute("CREATE INDEX task ON snapshot.tasks (task_id)")
    layout.stamp(run.con, "snapshot")


def _table_row(run: RunContext, read: TableRead) -> tuple:
    return (
        run.run_no,
        read.table,
        read.status,
        read.reason,
        "\n".join(read.files),
        read.rows_read,
        read.rows_staged,
        read.rows_refused,
        read.extracted_at,
        read.horizon_on,
        "\n".join(read.warnings),
        read.since_on,
    )


def _rule_row(run: RunContext, answer: RuleResult, counts: Mapping[str, int]) -> tuple:
    kinds = ("open", *CLOSED_BY_RUN, "hold", "set_aside")
    return (
        run.run_no,
        answer.rule_id,
        answer.is_answered,
        answer.reason,
        answer.candidates,
        *(counts.get(kind, 0) for kind in kinds),
        answer.is_connected,
        answer.unseen,
    )


def _append(run: RunContext, name: str, rows: list[tuple]) -> None:
    """Fill a table of the run history: the previous snapshot's rows, then this run's."""
    if _has_previous(run, name):
        run.con.execute(f"INSERT INTO snapshot.{name} BY NAME FROM previous.{name}")
    snapshots.insert(run.con, f"snapshot.{name}", rows)


def _has_previous(run: RunContext, name: str) -> bool:
    return snapshots.has_table(run.con, "previous", name)
