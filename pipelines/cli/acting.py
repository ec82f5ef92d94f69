"""The commands by which people act: on a task, what was set aside or held, a ledger, a sign-in."""

from __future__ import annotations

import argparse
import datetime as dt

from pipelines.cli import clock, values
from pipelines.errors import UserError
from pipelines.settings import Settings


def act(options: argparse.Namespace, settings: Settings) -> int:
    """Record one action of a staff member."""
    from pipelines.cli import refusals
    from pipelines.ledger.belonging import open_own_ledger
    from pipelines.worklist import actions
    from pipelines.worklist.worklist import open_worklist

    at = options.at or clock.now()
    clock.check(at, "--at", settings, is_forced=options.force, exit_code=1)
    request = values.action_request(options, at)
    with open_worklist(settings, at) as worklist, open_own_ledger(settings) as ledger:
        try:
            recorded, refused = actions.act_all(worklist, ledger, options.staff, [request])
        except actions.ActorRefused as error:
            raise UserError(f"--staff {error}", error.exit_code) from None
    if refused:
        raise UserError(refusals.in_words(refused[0].refusal), 1)
    (done,) = recorded
    until = done.action.until
    returns = f"; it returns at {until.isoformat()}" if until else ""
    task = f"{options.task_id} ({done.title})"
    print(f"Recorded as {done.action.seq}: {options.action} {task} by {options.staff}{returns}")
    return 0


def bring_in(options: argparse.Namespace, settings: Settings) -> int:
    """Record that a manager brings in tasks that were set aside."""
    from pipelines.ledger.belonging import open_own_ledger
    from pipelines.runs import bring_in as bringing
    from pipelines.worklist.worklist import open_worklist

    at = options.at or clock.now()
    clock.check(at, "--at", settings, is_forced=options.force, exit_code=1)
    with open_worklist(settings, at) as worklist, open_own_ledger(settings) as ledger:
        groups = bringing.bring_in(worklist, ledger, options.staff, options.rule, options.facility)
    for group in groups:
        print(
            f"Brought in by {options.staff}: {group.name}. "
            f"The next run opens its {group.tasks.tasks:,} tasks."
        )
    return 0


def ledger(options: argparse.Namespace, settings: Settings) -> int:
    """Make the ledger that is here the list's own."""
    from pipelines.ledger import belonging

    adopted = belonging.adopt(settings, clock.now(), options.staff, options.reason)
    if adopted is None:
        print(f"{settings.warehouse} and its ledger belong together already; nothing was changed")
    elif adopted.run_id is None:
        print("The next run begins a new list with this ledger; its actions apply as tasks open")
    else:
        print(f"This ledger is now the one of the list (run {adopted.run_id})")
        if adopted.brought_over:
            print(f"{adopted.brought_over:,} actions that the list did not hold apply from now on")
    return 0


def sign_in(options: argparse.Namespace, settings: Settings) -> int:
    """Record that a manager releases the account that a staff member signs in with."""
    from pipelines.ledger import sign_ins
    from pipelines.ledger.belonging import open_own_ledger
    from pipelines.runs import managers
    from pipelines.worklist.worklist import open_worklist

    at = options.at or clock.now()
    clock.check(at, "--at", settings, is_forced=options.force, exit_code=1)
    with open_worklist(settings, at) as worklist, open_own_ledger(settings) as ledger:
        managers.check(worklist, options.staff, "release a sign-in")
        account = sign_ins.release(ledger, at, options.of, options.staff, options.reason)
    print(
        f"Released by {options.staff}: the account of {options.of} at {account.issuer}. "
        f"The account of {options.of}'s next sign-in takes its place."
    )
    return 0


def accept(options: argparse.Namespace, settings: Settings, at: dt.datetime) -> None:
    """Record that a manager accepts what guards of the last run held."""
    from pipelines.ledger.belonging import open_own_ledger
    from pipelines.runs.guards import accepting
    from pipelines.worklist.worklist import open_worklist

    if not options.staff:
        raise UserError("--accept needs --staff ID: who accepts it", 2)
    with open_worklist(settings, at) as worklist, open_own_ledger(settings) as ledger:
        accepted = accepting.accept(worklist, ledger, options.staff, options.accept, options.reason)
    for guard in accepted:
        print(f"Accepted by {options.staff}: {guard.guard} ({guard.name} {guard.says})")
