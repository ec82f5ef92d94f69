"""Health checks for a monitor: the list's age, the last run, the ledger, the disk, the extracts.

Each check says one sentence without a patient's values; the worst status is the overall one.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import folder as extracts_folder
from pipelines.ledger import belonging
from pipelines.ledger.belonging import open_own_ledger
from pipelines.ledger.ledger import Ledger, open_ledger
from pipelines.operations import arrivals
from pipelines.rules import overrides
from pipelines.rules.evaluate import SWITCHED_OFF
from pipelines.runs import history
from pipelines.runs.guards.model import age_in_words
from pipelines.settings import Settings
from pipelines.warehouse import snapshots, undone
from pipelines.worklist import layout
from pipelines.worklist.at import waiting

OK, ATTENTION, FAILING = "ok", "attention", "failing"
LEVELS = (OK, ATTENTION, FAILING)  # the index is the exit code, as Nagios reads it
SNAPSHOTS_OF_ROOM = 3  # free disk, in sizes of the live snapshot, below which attention is needed
EARLIER = dt.timedelta(minutes=5)  # a list further ahead of the clock means a clock set back


@dataclass(frozen=True)
class Check:
    """One question and its answer; `status` is one of LEVELS."""

    check: str
    status: str
    says: str


def checks(settings: Settings, now: dt.datetime, longest: dt.timedelta) -> list[Check]:
    """Every check; `longest` is how old the list, its extracts and extracts not yet run may be."""
    found = [*_of_list(settings, now, longest)]
    asked: dict[str, Callable[[], Check]] = {
        "ledger": lambda: _ledger(settings, now),
        "settings": lambda: _settings(settings),
        "disk": lambda: _disk(settings),
        "extracts": lambda: _extracts(settings, now, longest),
    }
    for name, ask in asked.items():
        try:
            found.append(ask())
        except UserError as error:
            found.append(Check(name, FAILING, str(error)))
        except OSError as error:
            found.append(Check(name, FAILING, f"{error.filename}: {error.strerror}"))
    return found


def worst(found: list[Check]) -> str:
    """The worst status of the checks."""
    return max((check.status for check in found), key=LEVELS.index)


def _of_list(settings: Settings, now: dt.datetime, longest: dt.timedelta) -> Iterator[Check]:
    try:
        live = snapshots.current(settings.warehouse)
        if live is None:
            yield Check("list", FAILING, "no list was published yet: python -m pipelines run")
            return
        with snapshots.connect() as con:
            layout.attach(con, live, "live")
            con.execute("USE live")
            try:
                newest = history.freshness(con)
                if newest is None:
                    yield Check("list", FAILING, f"{live}: the list names no run")
                    return
                yield from [
                    _age(settings, newest, now, longest),
                    _read_last(con, newest, now, longest),
                    _asked_last(con, newest),
                    _guards(con, newest),
                ]
            except duckdb.Error as error:
                yield Check("list", FAILING, snapshots.damaged(live, error))
    except UserError as error:
        yield Check("list", FAILING, str(error))


def _age(
    settings: Settings, newest: history.Freshness, now: dt.datetime, longest: dt.timedelta
) -> Check:
    age = now - newest.as_of
    as_of = newest.as_of.astimezone(dt.UTC)
    says = f"run {newest.run_id} speaks for {as_of:%Y-%m-%d %H:%M} UTC, {_long(age)} ago"
    if age < -EARLIER:
        return Check(
            "list",
            ATTENTION,
            f"{says}: later than this machine's clock, and no run goes back in time. "
            + snapshots.way_back(settings.warehouse),
        )
    return (
        Check("list", ATTENTION, f"{says}, more than {_long(longest)}")
        if age > longest
        else Check("list", OK, says)
    )


def _read_last(
    con: duckdb.DuckDBPyConnection,
    newest: history.Freshness,
    now: dt.datetime,
    longest: dt.timedelta,
) -> Check:
    oldest = newest.oldest_extracted_at
    is_old = oldest is not None and now - oldest > longest
    old = (
        f"the oldest extract of the last run was taken {_long(now - oldest)} ago, "
        f"more than {_long(longest)}"
        if oldest is not None
        else ""
    )
    if len(newest.not_accepted):
        tables = newest.not_accepted[["table_name", "status", "reason"]].to_numpy()
        whys = "; ".join(
            f"{table} is {status}" + (f": {reason}" if reason else "")
            for table, status, reason in tables
        )
        says = f"the last run could not take {whys}"
        if "missing" in newest.not_accepted["status"].to_list():
            says += " (a table that is never delivered belongs in practice.absent)"
        return Check("tables", ATTENTION, f"{says}; {old}" if is_old else says)
    refused = int(history.runs(con, 1)["rows_refused"].iloc[0])
    if is_old:
        return Check("tables", ATTENTION, old)
    of_run = history.run_tables(con, newest.run_no)
    absent = of_run.loc[of_run["status"] == "absent", "table_name"]
    but = f" but those never delivered ({', '.join(sorted(absent))})" if len(absent) else ""
    return Check("tables", OK, f"the last run took every table{but}; {refused:,} rows were refused")


def _guards(con: duckdb.DuckDBPyConnection, newest: history.Freshness) -> Check:
    held = history.held_guards(con)
    if not held:
        return Check("guards", OK, "no guard holds anything")
    guards = "; ".join(
        f"{guard.guard}: {guard.name} {guard.says}, "
        + age_in_words(guard.held_from, guard.runs, newest.as_of)
        for guard in held
    )
    return Check(
        "guards",
        FAILING if any(guard.is_alarm for guard in held) else ATTENTION,
        f"the last run held what it does not believe ({guards}); correct the delivery, or accept "
        "it: run --accept GUARD --staff ID --reason TEXT",
    )


def _asked_last(con: duckdb.DuckDBPyConnection, newest: history.Freshness) -> Check:
    asked = history.run_rules(con, newest.run_no)
    is_off = asked["reason"] == SWITCHED_OFF
    left_out = asked.loc[asked["is_withheld"].astype(bool) & ~is_off, ["rule_id", "reason"]]
    withheld = [f"{rule_id}: {reason}" for rule_id, reason in left_out.to_numpy()]
    if withheld:
        return Check("rules", ATTENTION, "the last run withheld " + "; ".join(withheld))
    held = history.held_by_rows(con)
    if held:
        tasks = ", ".join(f"{rule_id}: {count}" for rule_id, count in held.items())
        return Check(
            "rules",
            ATTENTION,
            f"the last run held tasks that refused rows may concern ({tasks}); "
            "correct the rows at the source",
        )
    is_connected = asked["is_connected"].astype(bool)
    says = f"the last run asked {int((is_connected & ~asked['is_withheld']).sum())} rules"
    if not is_connected.all():
        says += f"; {int((~is_connected).sum())} read tables that this practice never delivers"
    in_part = int((asked["unseen"] > 0).sum())
    if in_part:
        says += f"; {in_part} could not answer for records that the data do not reach back to"
    return Check("rules", OK, says)


def _ledger(settings: Settings, now: dt.datetime) -> Check:
    try:
        live, is_listed = snapshots.current(settings.warehouse), True
        belonging.of_live_list(settings.warehouse)
    except UserError:  # the list's own check says it
        live, is_listed = None, False
    opened = open_own_ledger if is_listed else _open_any_ledger
    with opened(settings, read_only=True) as ledger:  # a check neither makes nor upgrades one
        waits = _waiting(ledger, live, now) if live is not None else []
    with opened(settings) as ledger:
        newest = ledger.prove_writable()
    says = f"can be read and written; its newest action is {newest}"
    if waits:
        return Check("ledger", ATTENTION, f"{says}; of people's actions, {'; '.join(waits)}")
    return Check("ledger", OK, says)


def _open_any_ledger(settings: Settings, *, read_only: bool = False) -> Ledger:
    return open_ledger(settings.ledger_url, read_only=read_only)


def _waiting(ledger: Ledger, live: Path, now: dt.datetime) -> list[str]:
    """How many of people's actions do not count yet, and why."""
    with snapshots.connect() as con:
        layout.attach(con, live, "live")
        con.execute("USE live")
        folded_seq = belonging.of_list(con, "live").folded_seq
        actions = ledger.actions(after=folded_seq, also=waiting(con))
        listed = history.listed(con, {action.task_id for action in actions})
    ahead = [action.at for action in actions if action.at > now + EARLIER]
    early = [action for action in actions if action.task_id not in listed]
    waits = []
    if ahead:
        waits.append(
            f"{len(ahead)} are dated later than this machine's clock, up to "
            f"{max(ahead):%Y-%m-%d %H:%M} UTC, and count from then on"
        )
    if early:
        waits.append(
            f"{len(early)} are on tasks that the last run did not have, and count once one opens "
            "them"
        )
    return waits


def _settings(settings: Settings) -> Check:
    applied = overrides.rules_in_force(settings)
    rules, disabled = len(applied.rules), len(applied.disabled)
    if applied.broken:
        return Check("settings", ATTENTION, "; ".join(applied.broken.values()))
    return Check("settings", OK, f"{rules - disabled} of {rules} rules are in force")


def _disk(settings: Settings) -> Check:
    folder = next(
        path
        for path in (settings.warehouse, *settings.warehouse.absolute().parents)
        if path.exists()
    )
    free, live = shutil.disk_usage(folder).free, snapshots.current(settings.warehouse)
    size = live.stat().st_size if live is not None else 0
    says = f"{_mb(free)} free in {folder}; the list takes {_mb(size)}"
    if not os.access(folder, os.W_OK):
        return Check(
            "disk", FAILING, f"{folder} cannot be written to, so a run cannot publish the next list"
        )
    if free < size:
        return Check("disk", FAILING, f"{says}, so a run cannot publish the next")
    return Check("disk", ATTENTION if free < SNAPSHOTS_OF_ROOM * size else OK, says)


def _extracts(settings: Settings, now: dt.datetime, longest: dt.timedelta) -> Check:
    if settings.extracts is None:
        return Check("extracts", OK, "WORKBENCH_EXTRACTS names no folder to look into")
    last = arrivals.last_run(settings)
    there = [arrivals.look(folder) for folder in arrivals.since(settings.extracts, last)]
    newest = there[-1].folder
    tomorrow = f"{now + dt.timedelta(days=1):%Y%m%d}"
    if (
        extracts_folder.is_dated(newest)
        and newest.parent == settings.extracts.resolve()
        and extracts_folder.day_and_name(newest)[0] > tomorrow
    ):
        return Check(
            "extracts",
            ATTENTION,
            f"{newest} is dated later than tomorrow; "
            "while it is there, no folder of an earlier day is run",
        )
    waiting = [found for found in there if last is None or found.folder != last.folder]
    if not waiting and last is not None:
        waiting = [found for found in there if found.came_at > last.read_at]
    undone_runs = undone.read(settings.warehouse)
    left = [found for found in waiting if found.is_undone(undone_runs)]
    waiting = [found for found in waiting if found not in left]
    if left and not waiting:
        return Check(
            "extracts",
            ATTENTION,
            f"the run over {left[-1].folder} was undone, and nothing has arrived since: "
            "deliver again",
        )
    if waiting:  # the first has waited longest
        waits = now - waiting[0].came_at
        return Check(
            "extracts",
            ATTENTION if waits > longest else OK,
            f"{waiting[0].folder} came {_long(waits)} ago and was not run yet",
        )
    since = now - there[-1].came_at
    return Check(
        "extracts",
        ATTENTION if since > longest else OK,
        f"{newest} was run; it came {_long(since)} ago, and nothing since",
    )


def _long(span: dt.timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if abs(minutes) < 120:
        return f"{minutes} minutes"
    return (
        f"{round(minutes / 60)} hours"
        if abs(minutes) < 72 * 60
        else f"{round(minutes / 60 / 24)} days"
    )


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
