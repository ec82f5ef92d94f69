"""Apply people's actions to tasks: a run for good, the worklist for the actions after that run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import duckdb
import pandas as pd

from pipelines import lifecycle
from pipelines.ledger.actions import Action


def apply_actions(
    con: duckdb.DuckDBPyConnection, tasks: str, acted: Sequence[Action], into: str
) -> None:
    """Make the temp view `into`: the tasks of `tasks` with these actions, kept in `actions`."""
    set_actions(con, acted)
    if not acted:
        con.execute(f"CREATE OR REPLACE TEMP VIEW {into} AS FROM {tasks}")
        return
    con.execute(
        "CREATE OR REPLACE TEMP VIEW stored_tasks AS "
        f"SELECT t.* FROM {tasks} AS t WHERE t.task_id IN (SELECT task_id FROM actions)"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE touched_tasks AS {lifecycle.sql('tasks_with_actions')}"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {into} AS "
        f"SELECT t.* FROM {tasks} AS t WHERE t.task_id NOT IN (SELECT task_id FROM actions) "
        "UNION ALL BY NAME FROM touched_tasks"
    )


def set_actions(con: duckdb.DuckDBPyConnection, acted: Sequence[Action]) -> None:
    """Make the temp table `actions` of these actions."""
    frame = pd.DataFrame(
        [asdict(action) for action in acted], columns=list(Action.__dataclass_fields__)
    )
    con.register("acted", frame)
    con.execute("CREATE OR REPLACE TEMP TABLE actions AS " + lifecycle.sql("actions"))
    con.unregister("acted")
