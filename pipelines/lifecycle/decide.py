"""Decide what happens to each task; then write the tasks, events and stays after this run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import duckdb

from pipelines import lifecycle
from pipelines.extracts.outcome import TableRead
from pipelines.ledger.actions import Action
from pipelines.lifecycle.apply_actions import apply_actions
from pipelines.lifecycle.context import RunContext
from pipelines.rules import changes, evaluate, evidence
from pipelines.rules.evaluate import RuleResult
from pipelines.warehouse import snapshots


def apply_due_actions(run: RunContext, due: Sequence[Action], early: Sequence[Action]) -> None:
    """Make tasks_with_actions of the previous tasks, and record an event for each action.

    `early` are actions on tasks that are not on the list; a task that opens now opened by then.
    """
    first: dict[str, dt.datetime] = {}
    for action in early:
        first[action.task_id] = min(action.at, first.get(action.task_id, action.at))
    snapshots.create_table(
        run.con,
        "acted_before",
        "task_id VARCHAR, acted_at TIMESTAMP WITH TIME ZONE",
        list(first.items()),
    )
    # The columns are those of this software: an earlier version's tables may have fewer.
    run.con.execute(
        "CREATE OR REPLACE TEMP VIEW previous_tasks AS "
        f"{lifecycle.sql('empty_tasks')} UNION ALL BY NAME FROM previous.tasks"
    )
    apply_actions(run.con, "previous_tasks", due, "tasks_with_actions")
    run.con.execute("CREATE TABLE snapshot.events AS " + lifecycle.sql("empty_events"))
    run.con.execute("INSERT INTO snapshot.events BY NAME FROM previous.events")
    run.con.execute(
        "INSERT INTO snapshot.events BY NAME " + lifecycle.sql("action_events"),
        {"last_event_no": run.previous.last_event_no},
    )


def decide(
    run: RunContext, answers: Sequence[RuleResult], reads: Mapping[str, TableRead]
) -> dict[str, str]:
    """Make the temp table `decisions`; the result says by rule why its evidence was not asked.

    `unseen` also gets the tasks whose record the tables may not reach back to.
    """
    _create_rule_tables(run, answers)
    con = run.con
    con.execute("CREATE OR REPLACE TEMP TABLE refused_ids AS FROM extract.refused_ids")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE refused_unnamed AS FROM extract.refused_unattributable"
    )
    con.execute("CREATE OR REPLACE TEMP VIEW subjects AS " + lifecycle.sql("subjects"))
    con.execute("CREATE OR REPLACE TEMP TABLE records AS " + lifecycle.sql("records"))
    first_days = [(read.table, read.since_on) for read in reads.values() if read.since_on]
    snapshots.create_table(con, "first_days", "table_name VARCHAR, since_on DATE", first_days)
    con.execute("INSERT INTO unseen BY NAME " + lifecycle.sql("gone_before"))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE first_decisions AS " + lifecycle.sql("decisions"),
        {"return_from": run.as_of - dt.timedelta(days=run.settings.return_days)},
    )
    con.execute("CREATE OR REPLACE TEMP TABLE leaving_tasks AS " + lifecycle.sql("leaving_tasks"))
    unexplained = evidence.collect(con, run.applied, run.as_of)
    _create_changes(con, changes.since_previous(con, run.applied), unexplained)
    con.execute("CREATE OR REPLACE TEMP TABLE decisions AS " + lifecycle.sql("explained"))
    return unexplained


def write(run: RunContext, reads: Mapping[str, TableRead]) -> dict[str, dict[str, int]]:
    """Fill tasks, events, held and stays of `snapshot` by the table `decisions`.

    The counts of decisions by rule and kind.
    """
    con = run.con
    has_payers = all(reads[table].status == "accepted" for table in ("policies", "payers"))
    given = {"as_of": run.as_of, "has_payers": has_payers}
    lifecycle.create_move_kinds(con)
    con.execute(
        "CREATE TABLE snapshot.tasks AS " + lifecycle.sql("tasks"),
        given,
    )
    con.execute("CREATE OR REPLACE TEMP VIEW tasks_after AS FROM snapshot.tasks")
    (last_event_no,) = snapshots.first(
        con, "SELECT COALESCE(MAX(e.event_no), 0) FROM snapshot.events AS e"
    )
    con.execute(
        "INSERT INTO snapshot.events BY NAME " + lifecycle.sql("events"),
        {**given, "last_event_no": last_event_no},
    )
    _create_held(run)
    _create_stays(run)
    counts: dict[str, dict[str, int]] = {}
    for rule_id, decision, count in con.execute(lifecycle.sql("decision_counts")).fetchall():
        counts.setdefault(rule_id, {})[decision] = count
    return counts


def _create_changes(
    con: duckdb.DuckDBPyConnection,
    changed: Sequence[changes.Change],
    unexplained: Mapping[str, str],
) -> None:
    """Make the tables that explained.sql reads of rules that changed or could not explain."""
    snapshots.create_table(
        con, "rule_changes", "rule_id VARCHAR, payer_id VARCHAR, says VARCHAR", list(changed)
    )
    rows = [(rule_id,) for rule_id in unexplained]
    snapshots.create_table(con, "unexplained_rules", "rule_id VARCHAR", rows)


def _create_rule_tables(run: RunContext, answers: Sequence[RuleResult]) -> None:
    """Make the tables that decisions.sql reads of the rules: what they do, convert to and read."""
    rules = run.applied.rules.values()
    is_answered = {answer.rule_id: answer.is_answered for answer in answers}
    snapshots.create_table(
        run.con,
        "rules",
        "rule_id VARCHAR, clears VARCHAR, clears_when VARCHAR, ends_at_discharge BOOLEAN, "
        "subject_table VARCHAR, period VARCHAR, looks_at VARCHAR, is_answered BOOLEAN",
        [
            (
                rule.rule_id,
                rule.clears,
                rule.clears_when,
                rule.ends_at_discharge,
                rule.subject_table,
                rule.period,
                rule.looks_at,
                is_answered[rule.rule_id],
            )
            for rule in rules
        ],
    )
    snapshots.create_table(
        run.con,
        "conversion_rules",
        "rule_id VARCHAR, target_rule_id VARCHAR, position INTEGER",
        [
            (rule.rule_id, target, position)
            for rule in rules
            for position, target in enumerate(rule.converts_to)
        ],
    )
    lifecycle.create_rule_patients(run.con, rules)
    # A refused parent orphans its children, so include every table the rule depends on.
    snapshots.create_table(
        run.con,
        "rule_reads",
        "rule_id VARCHAR, table_name VARCHAR, is_read BOOLEAN",
        [
            (rule.rule_id, table, table in rule.reads)
            for rule in rules
            for table in sorted(evaluate.needed_tables(rule))
        ],
    )


def _create_held(run: RunContext) -> None:
    """Keep the questions that this run left open, with the runs in a row for which they are."""
    has_held = snapshots.has_table(run.con, "previous", "held")
    earlier = lifecycle.sql("empty_held")
    if has_held:  # an earlier version's table may have fewer columns
        earlier += " UNION ALL BY NAME FROM previous.held"
    run.con.execute(f"CREATE OR REPLACE TEMP VIEW held_before AS {earlier}")
    run.con.execute("CREATE TABLE snapshot.held AS " + lifecycle.sql("held"), {"as_of": run.as_of})


def _create_stays(run: RunContext) -> None:
    """Keep when each task was on the list; recompute only tasks with events since the last run."""
    con = run.con
    con.execute("CREATE OR REPLACE TEMP VIEW current_tasks AS FROM snapshot.tasks")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moved AS "
        "SELECT DISTINCT e.task_id FROM snapshot.events AS e WHERE e.event_no > ?",
        [run.previous.last_event_no],
    )
    # Snapshots of format 1 have no stays: recompute all.
    has_stays = snapshots.has_table(con, "previous", "stays")
    events = "SELECT e.* FROM snapshot.events AS e"
    if has_stays:
        events += " SEMI JOIN moved AS m ON e.task_id = m.task_id"
    con.execute(f"CREATE OR REPLACE TEMP VIEW current_events AS {events}")
    con.execute("CREATE TABLE snapshot.stays AS " + lifecycle.sql("stays"))
    if has_stays:
        con.execute(
            "INSERT INTO snapshot.stays BY NAME "
            "SELECT s.* FROM previous.stays AS s ANTI JOIN moved AS m ON s.task_id = m.task_id"
        )
