"""A list and its ledger belong together: whoever opens both checks it here.

A snapshot names the ledger it was made with and the newest action it holds. A ledger that was
deleted, emptied, replaced by an older copy or by another practice's would take actions that no run
ever reads, so it is refused.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from pipelines.errors import UserError
from pipelines.ledger.actions import NewAction
from pipelines.ledger.database import NoLedger
from pipelines.ledger.identity import Adoption, Identity
from pipelines.ledger.ledger import Ledger, open_ledger
from pipelines.settings import Settings
from pipelines.warehouse import snapshots

WAY_ON = (
    "Put the right ledger back, restore a backup (restore), or go on with this one on purpose: "
    "python -m pipelines ledger adopt"
)


@dataclass(frozen=True)
class OfList:
    """What a list says of its ledger; `ledger_id` is None in a list of an earlier version."""

    run_id: str
    ledger_id: str | None
    folded_seq: int


def of_list(con: duckdb.DuckDBPyConnection, name: str) -> OfList:
    """What an attached snapshot says of its ledger."""
    # SELECT r.*, because the runs of earlier versions have no ledger_id.
    newest = snapshots.row(con, f"SELECT r.* FROM {name}.runs AS r ORDER BY r.run_no DESC LIMIT 1")
    if newest is None:
        raise UserError("The snapshot names no run: it is damaged")
    ledger_id = newest.get("ledger_id")
    return OfList(
        str(newest["run_id"]),
        None if ledger_id is None else str(ledger_id),
        int(str(newest["folded_seq"])),
    )


def of_live_list(warehouse: Path) -> OfList | None:
    """What the live list says of its ledger, None before the first run."""
    live = snapshots.current(warehouse)
    if live is None:
        return None
    with snapshots.connect() as con:
        snapshots.attach(con, live, "live")
        try:
            return of_list(con, "live")
        except duckdb.Error as error:
            raise UserError(snapshots.damaged(live, error)) from None


def problem(identity: Identity, name: str, listed: OfList) -> str | None:
    """Why this ledger is not the list's, None if it is."""
    if listed.ledger_id not in (None, identity.ledger_id):
        return (
            f"The ledger {name} is not the one that the list (run {listed.run_id}) was made with: "
            f"it is new, or of another list. {WAY_ON}"
        )
    if identity.newest < listed.folded_seq:
        return (
            f"The ledger {name} ends at action {identity.newest}, but the list (run "
            f"{listed.run_id}) holds actions up to {listed.folded_seq}: it is an older copy, or "
            f"it was emptied. {WAY_ON}"
        )
    return None


def check(ledger: Ledger, listed: OfList) -> Identity:
    """The ledger's identity; UserError when it is not the ledger of this list."""
    identity = ledger.identity()
    why = problem(identity, ledger.name, listed)
    if why is not None:
        raise UserError(why)
    return identity


def check_without_list(ledger: Ledger, warehouse: Path) -> Identity:
    """The ledger's identity; UserError when it has actions although no list is there."""
    identity = ledger.identity()
    if ledger.last_seq() > 0 and not ledger.is_adopted_without_list():
        raise UserError(
            f"The ledger {ledger.name} has {identity.newest} actions, but {warehouse} has no list: "
            "the lists are gone, or WORKBENCH_DATA or WORKBENCH_LEDGER points elsewhere. Put them "
            "back, restore a backup (restore), or begin a new list with this ledger on purpose: "
            "python -m pipelines ledger adopt"
        )
    return identity


def open_own_ledger(settings: Settings, *, read_only: bool = False) -> Ledger:
    """The ledger of the practice; UserError when it is not the live list's."""
    listed = of_live_list(settings.warehouse)
    ledger = open_ledger(settings.ledger_url, read_only=read_only, is_listed=listed is not None)
    try:
        if listed is None:
            check_without_list(ledger, settings.warehouse)
        else:
            check(ledger, listed)
    except BaseException:
        ledger.close()
        raise
    return ledger


def has_actions(settings: Settings) -> bool:
    """Whether there is a ledger in which people have acted; none is made by asking."""
    try:
        with open_ledger(settings.ledger_url, read_only=True, is_listed=False) as ledger:
            return ledger.last_seq() > 0
    except NoLedger:
        return False
    except UserError:  # it is there, and whoever opens it says what is wrong with it
        return True


@dataclass(frozen=True)
class Adopted:
    """What `adopt` did: for which list, and how many actions it brought over to new numbers."""

    run_id: str | None
    brought_over: int


def adopt(
    settings: Settings, at: dt.datetime, staff_id: str | None, reason: str | None
) -> Adopted | None:
    """Make the ledger the list's own, or the beginning of a new list; None when it is already.

    Its next action is numbered after those that the list holds. Actions that the list does not
    hold although their numbers say so are written once more, so that the next run reads them.
    """
    listed = of_live_list(settings.warehouse)
    with open_ledger(settings.ledger_url) as ledger:
        identity = ledger.identity()
        new = Adoption(identity.ledger_id, identity.newest, at, staff_id, reason)
        if listed is None:
            if ledger.last_seq() == 0 or ledger.is_adopted_without_list():
                return None
            ledger.adopt(new)
            return Adopted(None, 0)
        if problem(identity, ledger.name, listed) is None:
            return None
        unknown = _unknown_actions(settings.warehouse, ledger, listed)
        ledger.adopt(
            replace(
                new,
                ledger_id=listed.ledger_id or identity.ledger_id,
                continues_after=listed.folded_seq,
                run_id=listed.run_id,
            )
        )
        for action in unknown:
            ledger.record(action, ledger.last_seq_of(action.task_id))
        return Adopted(listed.run_id, len(unknown))


def _unknown_actions(warehouse: Path, ledger: Ledger, listed: OfList) -> list[NewAction]:
    """The actions of the ledger that the list has not read and that no run would read."""
    live = snapshots.current(warehouse)
    if live is None:
        return []
    with snapshots.connect() as con:
        snapshots.attach(con, live, "live")
        known = set(
            con.execute(
                "SELECT e.seq, e.task_id, e.staff_id, e.happened_at FROM live.events AS e "
                "WHERE e.seq IS NOT NULL"
            ).fetchall()
        )
        waiting = {
            seq for (seq,) in con.execute("SELECT w.seq FROM live.waiting_actions AS w").fetchall()
        }
    return [
        NewAction(
            action.task_id,
            action.action,
            action.staff_id,
            action.at,
            action.until,
            action.to_staff_id,
            action.reason,
            action.is_override,
        )
        for action in ledger.actions()
        if action.seq <= listed.folded_seq
        and action.seq not in waiting
        and (action.seq, action.task_id, action.staff_id, action.at) not in known
    ]
