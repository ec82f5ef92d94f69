"""People's actions folded into tasks: the run does it for good, the worklist for the actions no run has folded yet."""

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
    """Make `into`, a temp table or view: the tasks of `tasks` after people's actions, which stay in the temp table `actions`."""
    set_actions(con, acted)
    if not acted:
        con.execute(f"CREATE OR REPLACE TEMP VIEW {into} AS FROM {tasks}")
        return
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW stored_tasks AS SELECT t.* FROM {tasks} AS t WHERE t.task_id IN (SELECT task_id FROM actions)"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE touched_tasks AS {lifecycle.sql('folded_tasks')}")
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {into} AS "
        f"SELECT t.* FROM {tasks} AS t WHERE t.task_id NOT IN (SELECT task_id FROM actions) UNION ALL BY NAME FROM touched_tasks"
    )


def set_actions(con: duckdb.DuckDBPyConnection, acted: Sequence[Action]) -> None:
    """Make the temp table `actions` of these."""
    frame = pd.DataFrame(
        [asdict(action) for action in acted], columns=list(Action.__dataclass_fields__)
    )
    con.register("acted", frame)
    con.execute(
        """CREATE OR REPLACE TEMP TABLE actions AS
        SELECT CAST(seq AS BIGINT) AS seq, CAST(task_id AS VARCHAR) AS task_id,
            CAST(action AS VARCHAR) AS action, CAST(staff_id AS VARCHAR) AS staff_id,
            CAST("at" AS TIMESTAMPTZ) AS acted_at, CAST(until AS TIMESTAMPTZ) AS deferred_until, CAST(to_staff_id AS VARCHAR) AS to_staff_id,
            CAST(reason AS VARCHAR) AS reason, CAST(is_override AS BOOLEAN) AS is_override
        FROM acted"""
    )
    con.unregister("acted")
