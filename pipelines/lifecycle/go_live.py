"""Go-live: what fell due before the practice began to work with the list is set aside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines import lifecycle
from pipelines.lifecycle.context import RunContext
from pipelines.warehouse import snapshots

OLD_SHARE = 0.25  # of a first list's tasks: with more old ones, a go-live is proposed


@dataclass(frozen=True)
class SetAside:
    """The tasks of a rule at a facility that were set aside; the oldest fell due on `oldest_on`."""

    rule_id: str
    facility_id: str | None
    tasks: int
    oldest_on: dt.date


@dataclass(frozen=True)
class Proposal:
    """The day for a go-live, since so many of a first list's tasks are old."""

    day: dt.date
    tasks: int
    old_tasks: int


def set_aside(run: RunContext, brought_in: Sequence[tuple[str, str | None]] = ()) -> list[SetAside]:
    """Take the candidates that are set aside out of `candidates`; how many there are by group.

    `brought_in` are the groups, a rule at a facility (None: none), that open all the same.
    """
    con, rules = run.con, list(_rules(run))
    if not rules:
        return []
    snapshots.create_table(
        con,
        "go_live_rules",
        "rule_id VARCHAR, first_on DATE, ends_at_discharge BOOLEAN",
        rules,
    )
    snapshots.create_table(
        con,
        "go_live_sources",
        "rule_id VARCHAR, target_rule_id VARCHAR",
        [
            (rule.rule_id, target)
            for rule in run.applied.rules.values()
            for target in rule.converts_to
        ],
    )
    lifecycle.create_rule_patients(con, run.applied.rules.values())
    snapshots.create_table(
        con, "brought_in", "rule_id VARCHAR, facility_id VARCHAR", list(brought_in)
    )
    con.execute("CREATE OR REPLACE TEMP TABLE set_aside AS " + lifecycle.sql("go_live"))
    con.execute(
        "DELETE FROM candidates AS c USING set_aside AS s "
        "WHERE c.rule_id = s.rule_id AND c.subject_id = s.subject_id"
    )
    rows = con.execute(f"FROM ({lifecycle.sql('set_aside_counts')}) ORDER BY ALL").fetchall()
    return [SetAside(*row) for row in rows]


def proposal(run: RunContext) -> Proposal | None:
    """The go-live that a first run without one proposes, if many tasks of its list are old."""
    if run.go_live.day is not None or run.previous.as_of is not None:
        return None
    tasks, old_tasks, today = snapshots.first(
        run.con, lifecycle.sql("old_tasks"), {"days": run.go_live.history_days}
    )
    if today is None or old_tasks <= OLD_SHARE * tasks:
        return None
    return Proposal(today, tasks, old_tasks)


def _rules(run: RunContext) -> Iterator[tuple[str, dt.date, bool]]:
    """Each rule with a go-live: the first day whose tasks open, and its `ends_at_discharge`."""
    history = dt.timedelta(days=run.go_live.history_days)
    for rule in run.applied.rules.values():
        day = run.applied.go_live.get(rule.rule_id, run.go_live.day)
        if day is not None:
            first_on = day if rule.clears == "manual" else day - history
            yield rule.rule_id, first_on, rule.ends_at_discharge
