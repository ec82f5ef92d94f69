"""Undo the newest run: the list before it is live again, and people's actions stay."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import UserError
from pipelines.ledger.belonging import open_own_ledger
from pipelines.operations import arrivals
from pipelines.operations.logs import log
from pipelines.settings import Settings
from pipelines.warehouse import snapshots, undone
from pipelines.warehouse.undone import UndoneRun
from pipelines.worklist import layout


@dataclass(frozen=True)
class Undone:
    """The run that was undone, the live snapshot since, and the delivery that is left alone."""

    run_id: str
    live: Path
    as_of: dt.datetime
    extracts: str | None


def undo(settings: Settings, at: dt.datetime) -> Undone:
    """Make the list before the newest run live again; UserError where there is none.

    Actions stay in the ledger: those on tasks that only the undone run opened wait until a run
    opens them again. `watch`, and a `run` that picks the newest folder, leave the undone run's
    delivery alone until something in it changes.
    """
    folder = settings.warehouse
    with snapshots.one_run_at_a_time(folder):
        live = snapshots.current(folder)
        if live is None:
            raise UserError(f"{folder}: no list has been published yet, so there is none to undo")
        earlier = [path for path in sorted(folder.glob("*.duckdb")) if path.name < live.name]
        if not earlier:
            raise UserError(
                f"{live}: the list before this run is not here (the first run has none, and "
                f"{snapshots.KEPT} lists are kept), so it cannot be undone"
            )
        before = earlier[-1]
        run_no, as_of = _check_readable(before)
        last = arrivals.last_run(settings)
        delivery = None if last is None or last.folder is None else _unchanged(last)
        with open_own_ledger(settings) as ledger:
            acceptances = len(ledger.accepted_guards())
        row = UndoneRun(
            live.stem,
            run_no,
            at,
            acceptances,
            str(delivery.folder) if delivery else None,
            delivery.signature if delivery else None,
        )
        undone.add(folder, row)
        snapshots.go_back(folder, live, before)
    log.warning("run %s was undone", live.stem, extra={"event": "run.undone", "run_id": live.stem})
    return Undone(live.stem, before, as_of, row.extracts)


def _check_readable(path: Path) -> tuple[int, dt.datetime]:
    """The number and as_of of the run that made a snapshot; UserError when it is damaged."""
    with snapshots.connect() as con:
        snapshots.attach(con, path, "before")
        layout.check_not_newer(con, path, "before")
        run_no, as_of = snapshots.first(
            con, "SELECT r.run_no, r.as_of FROM before.runs AS r ORDER BY r.run_no DESC LIMIT 1"
        )
    return run_no, as_of


def _unchanged(last: arrivals.LastRun) -> arrivals.Delivery | None:
    """The delivery that the last run read, if it is still as the run found it."""
    if last.folder is None or not last.folder.is_dir():
        return None
    found = arrivals.look(last.folder)
    return found if found.came_at <= last.published_at else None
