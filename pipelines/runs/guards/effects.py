"""Guards of effect: tasks of a rule at a facility that would close or open far beyond the usual.

They judge the decisions of a run before anything of them is written. What they hold stays as it is.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from pipelines.extracts import contract
from pipelines.lifecycle.context import RunContext
from pipelines.runs import previous
from pipelines.runs.guards import sql
from pipelines.runs.guards.model import (
    CLOSINGS,
    FEWEST_CLOSINGS,
    FEWEST_OPENINGS,
    KEYS,
    OPENINGS,
    Acceptances,
    Tripped,
)
from pipelines.warehouse import snapshots

LOOK_BACK = dt.timedelta(days=35)  # at the openings of earlier runs: a month and some days
FEWEST_RUNS = 7  # after the first one, before its openings no longer count as usual
ALL_RULES = "all"


@dataclass(frozen=True)
class Group:
    """What a run would do to the tasks of a rule at a facility, beside what is usual there."""

    facility_id: str | None
    rule_id: str
    tasks: int
    usual: int


def judge(run: RunContext, accepted: Acceptances) -> list[Tripped]:
    """The guards that tripped on the table `decisions`, accepted ones too; none in a first run."""
    if run.previous.as_of is None:
        return []
    _create_new_evidence(run.con)
    _create_known_before(run.con)
    given = {
        # Work is entered until the evening and dated in the facility's time.
        "since": (run.previous.as_of - dt.timedelta(days=1)).date(),
        "counts_gone": not accepted.covers_kind(KEYS),
    }
    closings = _groups(run.con, "closings", given)
    looked_at = {"since": _look_back_to(run)}
    openings = _groups(run.con, "openings", looked_at)
    limits = run.settings.guards
    return [
        *too_many_closings(closings, limits.closings),
        *too_many_openings(openings, limits.openings),
    ]


def _groups(con: duckdb.DuckDBPyConnection, name: str, given: Mapping[str, object]) -> list[Group]:
    return sorted((Group(*row) for row in con.execute(sql(name), given).fetchall()), key=str)


def _look_back_to(run: RunContext) -> dt.datetime:
    """From when earlier openings count: not those of the first run, once there are others."""
    since = run.as_of - LOOK_BACK
    if run.previous.run_no <= FEWEST_RUNS:
        return since
    (first,) = snapshots.first(run.con, "SELECT MIN(r.as_of) FROM previous.runs AS r")
    return max(since, first + dt.timedelta(seconds=1))


def hold(con: duckdb.DuckDBPyConnection, tripped: Sequence[Tripped]) -> None:
    """Hold in `decisions` what these guards of effect are about."""
    rows = [(guard.guard, guard.kind, guard.rule_id, guard.facility_id) for guard in tripped]
    snapshots.create_table(
        con,
        "tripped_guards",
        "guard VARCHAR, kind VARCHAR, rule_id VARCHAR, facility_id VARCHAR",
        rows,
    )
    con.execute("CREATE OR REPLACE TEMP TABLE guarded AS " + sql("guarded"))
    con.execute("CREATE OR REPLACE TEMP TABLE decisions AS FROM guarded")


def too_many_closings(groups: Sequence[Group], limit: float) -> list[Tripped]:
    """Whole facilities where all rules together close too much, else single rules.

    Where the whole practice, or one rule in all of it, closes too much, it trips wherever
    anything closes.
    """
    bounds = (FEWEST_CLOSINGS, limit)
    is_everywhere = _is_too_many(groups, *bounds)
    everywhere = _rules_everywhere(groups, *bounds)
    found: list[Tripped] = []
    for facility_id, there in _grouped(groups, lambda group: group.facility_id).items():
        closing = [group for group in there if group.tasks]
        is_whole = _is_too_many(there, *bounds) or is_everywhere
        if is_whole and len(closing) > 1:
            found.append(_closing(facility_id, None, there))
            continue
        found += [
            _closing(facility_id, group.rule_id, [group])
            for group in closing
            if is_whole or group.rule_id in everywhere or _is_too_many([group], *bounds)
        ]
    return found


def _grouped(
    groups: Sequence[Group], by: Callable[[Group], str | None]
) -> dict[str | None, list[Group]]:
    found: dict[str | None, list[Group]] = defaultdict(list)
    for group in groups:
        found[by(group)].append(group)
    return found


def _rules_everywhere(groups: Sequence[Group], fewest: int, limit: float) -> set[str | None]:
    """The rules that do too much in the whole practice."""
    by_rule = _grouped(groups, lambda group: group.rule_id)
    return {rule_id for rule_id, of in by_rule.items() if _is_too_many(of, fewest, limit)}


def _is_too_many(groups: Sequence[Group], fewest: int, limit: float) -> bool:
    tasks, usual = sum(g.tasks for g in groups), sum(g.usual for g in groups)
    return tasks > max(fewest, limit * usual)


def _closing(facility_id: str | None, rule_id: str | None, groups: Sequence[Group]) -> Tripped:
    tasks, usual = sum(g.tasks for g in groups), sum(g.usual for g in groups)
    return Tripped(
        f"{CLOSINGS}/{rule_id or ALL_RULES}/{facility_id or ''}",
        CLOSINGS,
        f"{tasks:,} of {usual:,} open tasks would close without new work that explains it",
        tasks,
        usual,
        rule_id=rule_id,
        facility_id=facility_id,
    )


def too_many_openings(groups: Sequence[Group], limit: float) -> list[Tripped]:
    """Rules that open too much at a facility, or in the whole practice."""
    bounds = (FEWEST_OPENINGS, limit)
    everywhere = _rules_everywhere(groups, *bounds)
    return [
        Tripped(
            f"{OPENINGS}/{group.rule_id}/{group.facility_id or ''}",
            OPENINGS,
            f"{group.tasks:,} tasks would open; the most that one run of the last "
            f"{LOOK_BACK.days} days opened there is {group.usual:,}",
            group.tasks,
            group.usual,
            rule_id=group.rule_id,
            facility_id=group.facility_id,
        )
        for group in groups
        if group.rule_id in everywhere or _is_too_many([group], *bounds)
    ]


def _create_new_evidence(con: duckdb.DuckDBPyConnection) -> None:
    """Make new_evidence: the tasks whose closing names a record that was not there before."""
    con.execute("CREATE OR REPLACE TEMP TABLE new_evidence (task_id VARCHAR)")
    named = con.execute(
        "SELECT DISTINCT e.record_table FROM evidence AS e WHERE e.is_work ORDER BY ALL"
    ).fetchall()
    kept = previous.staged_extracts(con)
    for (table,) in named:
        if table not in kept:
            continue
        key = contract.key_of(table)
        con.execute(
            "INSERT INTO new_evidence SELECT e.task_id FROM evidence AS e "
            f"ANTI JOIN previous.staging.{table} AS p ON e.record_id = p.{key} "
            "WHERE e.is_work AND e.record_table = $table",
            {"table": table},
        )


def _create_known_before(con: duckdb.DuckDBPyConnection) -> None:
    """Make the rules that ever answered and the facilities that the run before knew."""
    has_rules = snapshots.has_table(con, "previous", "run_rules")
    asked = (
        "SELECT DISTINCT r.rule_id FROM previous.run_rules AS r WHERE r.is_answered"
        if has_rules
        else "SELECT DISTINCT t.rule_id FROM tasks_with_actions AS t"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE asked_before AS {asked}")
    places = (
        "SELECT f.facility_id FROM previous.staging.facilities AS f UNION ALL SELECT NULL"
        if "facilities" in previous.staged_extracts(con)
        else "SELECT DISTINCT t.facility_id FROM tasks_with_actions AS t"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE facilities_before AS {places}")
