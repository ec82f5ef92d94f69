"""Many staff at once on one worklist and ledger: they filter and act, and a proof follows.

Threads of this process do what the sessions of the app do, so only list and ledger are measured.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa

from pipelines.bench import lists
from pipelines.bench.app import Load, look, practice, times_of
from pipelines.bench.browser_tab import Rerun
from pipelines.bench.ledger import doubled
from pipelines.errors import UserError
from pipelines.ledger.actions import Action
from pipelines.ledger.deferral import OFFERED
from pipelines.ledger.ledger import open_ledger
from pipelines.settings import Settings
from pipelines.worklist import actions as worklist_actions
from pipelines.worklist.actions import ActionRequest
from pipelines.worklist.live import LiveWorklist

# How often each is done, of all that is begun.
HABITS = {"complete": 50, "defer": 20, "note": 20, "assign": 10}
MOST_AT_ONCE = 3  # tasks of one action
TAKES_BACK = 0.2  # of completions, deferrals and assignments


@dataclass
class Member:
    """A staff member: actions acknowledged and refused, and seconds of lists and actions."""

    staff_id: str
    dice: random.Random
    done: list[Action] = field(default_factory=list)
    refused: int = 0
    errors: list[str] = field(default_factory=list)
    lists: list[float] = field(default_factory=list)
    actions: list[float] = field(default_factory=list)


def bench_load(load: Load, data: Path | None, ledger_url: str | None, out: Path | None) -> int:
    """Run the load, print the result as JSON, also to `out`; 1 after an error or a failed proof."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        settings = practice(Path(scratch), load, data)
        if ledger_url is not None:
            settings = replace(settings, ledger_url=ledger_url)
        report = measure(settings, load)
    text = json.dumps(report, indent=1)
    print(text)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
    return 1 if report["errors"] or report["lost"] or report["unasked"] or report["doubled"] else 0


def measure(settings: Settings, load: Load) -> dict[str, Any]:
    """What so many staff got done in so long, and whether the ledger holds just that."""
    load_before = os.getloadavg()[0]
    opens_at, open_tasks, seq = look(settings)
    if seq:
        raise UserError(
            "The ledger named by --ledger holds actions; the benchmark writes its own, "
            "so name an empty one."
        )
    shared = LiveWorklist(settings)
    with shared.at(opens_at) as worklist:
        staff = worklist.staff()
        ids = staff[staff["is_active"]]["staff_id"].tolist()
        asked = list(lists.views(worklist))
    members = [
        Member(ids[number % len(ids)], random.Random(number)) for number in range(load.sessions)
    ]
    print(f"{load.sessions} staff for {load.seconds:g} s", file=sys.stderr)
    started = time.perf_counter()
    with ThreadPoolExecutor(load.sessions) as threads:
        list(
            threads.map(
                lambda member: work(shared, member, asked, opens_at, started, load), members
            )
        )
    seconds = time.perf_counter() - started
    with open_ledger(settings.ledger_url) as ledger:
        recorded = ledger.actions()
    shared.ledger.close()
    actions, listed = (_times(name, members) for name in ("actions", "lists"))
    report: dict[str, Any] = {
        "cores": os.cpu_count(),
        "load_before": load_before,
        "load_after": os.getloadavg()[0],
    }
    report |= {
        "ledger": sa.make_url(settings.ledger_url).get_backend_name(),
        "open_tasks": open_tasks,
    }
    report |= {
        "staff": load.sessions,
        "think_seconds": load.think_seconds,
        "seconds": round(seconds, 1),
    }
    report |= {
        "actions_per_second": round(len(recorded) / seconds, 1),
        "lists_per_second": round(listed["count"] / seconds, 1),
    }
    return report | {"action_ms": actions, "list_ms": listed} | proof(members, recorded)


def work(
    shared: LiveWorklist,
    member: Member,
    asked: Sequence[lists.View],
    opens_at: dt.datetime,
    started: float,
    load: Load,
) -> None:
    """Think, look, think, act, and so on until the time is over; what was begun is ended."""
    until = started + load.seconds

    def think() -> None:
        if load.think_seconds:
            time.sleep(
                max(
                    0.0,
                    min(
                        member.dice.expovariate(1 / load.think_seconds), until - time.perf_counter()
                    ),
                )
            )

    def clock() -> dt.datetime:
        return opens_at + dt.timedelta(seconds=time.perf_counter() - started)

    while time.perf_counter() < until:
        try:
            _look_and_act(shared, member, member.dice.choice(asked), clock, think)
        except (UserError, duckdb.Error, sa.exc.SQLAlchemyError) as error:
            member.errors.append(f"{type(error).__name__}: {str(error).splitlines()[0]}")


def _look_and_act(
    shared: LiveWorklist,
    member: Member,
    view: lists.View,
    clock: Callable[[], dt.datetime],
    think: Callable[[], None],
) -> None:
    think()
    begun = time.perf_counter()
    with shared.at(clock()) as worklist:
        rows = worklist.tasks(view.filters, view.order, lists.PAGE_ROWS)
        for name, question in lists.QUESTIONS.items():
            if name != "rows":
                question(worklist, view.filters, view.order)
        seen = worklist.state.seq
    member.lists.append(time.perf_counter() - begun)
    think()
    if rows.empty:
        return
    action = member.dice.choices(list(HABITS), list(HABITS.values()))[0]
    chosen = member.dice.sample(
        rows["task_id"].tolist(), min(len(rows), member.dice.randint(1, MOST_AT_ONCE))
    )
    span = member.dice.choice(list(OFFERED.values())) if action == "defer" else None
    to = member.staff_id if action == "assign" else None
    requests = [
        ActionRequest(task_id, action, to_staff_id=to, reason="Done by phone", seen=seen, span=span)
        for task_id in chosen
    ]
    begun = time.perf_counter()
    with shared.at(clock()) as worklist:
        done, refused = worklist_actions.act_all(worklist, shared.ledger, member.staff_id, requests)
    _note(member, begun, done, refused)
    if done and action != "note" and member.dice.random() < TAKES_BACK:
        think()
        begun = time.perf_counter()
        with shared.at(clock()) as worklist:
            _note(
                member,
                begun,
                *worklist_actions.undo(worklist, shared.ledger, member.staff_id, done),
            )


def _note(
    member: Member,
    begun: float,
    done: Sequence[worklist_actions.Recorded],
    refused: Sequence[worklist_actions.Rejected],
) -> None:
    member.actions.append(time.perf_counter() - begun)
    member.done += [each.action for each in done]
    member.refused += len(refused)


def proof(members: Sequence[Member], recorded: Sequence[Action]) -> dict[str, Any]:
    """Counts of actions; lost, unasked and doubled must be 0."""
    told, written = (
        Counter(action for member in members for action in member.done),
        Counter(recorded),
    )
    errors = [error for member in members for error in member.errors]
    found = {
        "acknowledged": told.total(),
        "refused": sum(member.refused for member in members),
        "errors": len(errors),
        "said": sorted(set(errors))[:10],
    }
    return found | {
        "lost": (told - written).total(),
        "unasked": (written - told).total(),
        "doubled": doubled(recorded),
    }


def _times(name: str, members: Sequence[Member]) -> dict[str, float]:
    times = times_of(
        name,
        [Rerun(name, seconds, 0, 0) for member in members for seconds in getattr(member, name)],
    )
    return {
        "count": times.count,
        "p50": times.p50,
        "p95": times.p95,
        "p99": times.p99,
        "max": times.most,
    }
