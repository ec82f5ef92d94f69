"""What is true on a test's server, without its screen: the list, and the ledger."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import pandas as pd

from app_pages.session import clock
from pipelines import settings as settings_module
from pipelines.demo import build
from pipelines.settings import Settings
from pipelines.warehouse import snapshots
from pipelines.worklist.filters import Filters, Order
from pipelines.worklist.worklist import open_worklist
from tests.browser.servers import FRIDAY, Server


def settings_of(data: Path) -> Settings:
    """The settings of the practice in a data folder: its own, or the demo's where it has none."""
    settings = settings_module.load({"WORKBENCH_DATA": str(data)})
    return (
        build.settings_for(settings) if snapshots.current(settings.warehouse) is None else settings
    )


def now(server: Server) -> dt.datetime:
    """What time it is on the server."""
    return clock.now(server.clock)


def tasks(
    server: Server, filters: Filters | None = None, order: Order | None = None
) -> pd.DataFrame:
    """The tasks of a view, as they are now."""
    with open_worklist(settings_of(server.data), now(server)) as worklist:
        return worklist.tasks(filters, order)


def ledger(server: Server, question: str, *values: object) -> list[tuple]:
    """The rows a question in SQL finds in the ledger."""
    path = settings_of(server.data).ledger_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as ledger:
        return ledger.execute(question, values).fetchall()


def actions(server: Server, task_id: str) -> list[tuple[str, str, str | None]]:
    """(action, staff id, reason) of each action on a task since the test began, oldest first."""
    question = (
        "SELECT action, staff_id, reason FROM actions WHERE task_id = ? AND at >= ? ORDER BY seq"
    )
    return ledger(server, question, task_id, FRIDAY.strftime("%Y-%m-%dT%H:%M:%S"))
