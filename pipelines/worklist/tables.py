"""The tables of a list that many sessions read: the snapshot, and changed tasks in memory.

The rows of closed tasks come from the snapshot, where the run wrote them (closed_tasks).
"""

from __future__ import annotations

import duckdb

from pipelines import lifecycle
from pipelines.worklist import EVERY_TASK, sql
from pipelines.worklist.question_sql import ALL_TASKS, OPEN_COUNTS, OPEN_TASKS, counted

TOUCHED = f"SELECT t.* FROM memory.main.{OPEN_TASKS} AS t WHERE t.task_id IN (FROM touched_now)"
UNTOUCHED = "NOT IN (SELECT i.task_id FROM memory.main.touched_ids AS i)"


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the empty tables, and the views over snapshot and memory, under full names.

    Readers use cursors of their own, with another search path.
    """
    lifecycle.create_move_kinds(con, "memory.main.move_kinds")
    # Else DuckDB materializes all columns of a view that a query reads twice.
    con.execute("SET disabled_optimizers = 'common_subplan'")
    con.execute("CREATE TABLE memory.main.touched_ids (task_id VARCHAR)")
    con.execute(
        "CREATE TABLE memory.main.touched_tasks AS SELECT t.* FROM snapshot.tasks AS t LIMIT 0"
    )
    con.execute(
        "CREATE TABLE memory.main.touched_closed AS "
        "SELECT t.* FROM snapshot.closed_tasks AS t LIMIT 0"
    )
    con.execute(
        "CREATE TABLE memory.main.touched_stays AS SELECT s.* FROM snapshot.stays AS s LIMIT 0"
    )
    con.execute(
        f"CREATE TABLE memory.main.{OPEN_TASKS} AS "
        "SELECT t.* FROM snapshot.closed_tasks AS t LIMIT 0"
    )
    con.execute(
        f"CREATE TABLE memory.main.{OPEN_COUNTS} AS {counted(f'FROM memory.main.{OPEN_TASKS}')}",
        {"sign": 1},
    )
    con.execute(f"CREATE TABLE memory.main.fresh_events AS {lifecycle.sql('empty_events')}")
    con.execute(
        "CREATE VIEW memory.main.current_tasks AS "
        f"SELECT t.* FROM snapshot.tasks AS t WHERE t.task_id {UNTOUCHED} "
        "UNION ALL BY NAME FROM memory.main.touched_tasks"
    )
    con.execute(
        "CREATE VIEW memory.main.current_events AS "
        "FROM snapshot.events UNION ALL BY NAME FROM memory.main.fresh_events"
    )
    con.execute(
        "CREATE VIEW memory.main.current_stays AS "
        f"SELECT s.* FROM snapshot.stays AS s WHERE s.task_id {UNTOUCHED} "
        "UNION ALL BY NAME FROM memory.main.touched_stays"
    )
    con.execute(
        f"CREATE VIEW memory.main.{ALL_TASKS} AS "
        f"SELECT t.* FROM snapshot.closed_tasks AS t WHERE t.task_id {UNTOUCHED} "
        "UNION ALL BY NAME FROM memory.main.touched_closed "
        f"UNION ALL BY NAME FROM memory.main.{OPEN_TASKS}"
    )


def load_open(con: duckdb.DuckDBPyConnection) -> None:
    """Fill in the open tasks of this connection's current_tasks, with their count."""
    con.execute(
        f"INSERT INTO memory.main.{OPEN_TASKS} BY NAME FROM ({sql('listed')}) AS t WHERE t.is_open",
        EVERY_TASK,
    )
    _count(con, f"FROM memory.main.{OPEN_TASKS}", 1)


def refresh_changed(con: duckdb.DuckDBPyConnection) -> None:
    """Replace the rows of the tasks in `touched_now`, from current_tasks and current_events.

    On this connection these hold the touched tasks only.
    """
    _count(con, TOUCHED, -1)
    for table in ("touched_ids", "touched_tasks", "touched_closed", "touched_stays", "open_tasks"):
        con.execute(f"DELETE FROM memory.main.{table} WHERE task_id IN (FROM touched_now)")
    con.execute("INSERT INTO memory.main.touched_ids FROM touched_now")
    con.execute("INSERT INTO memory.main.touched_tasks BY NAME FROM current_tasks")
    con.execute(f"CREATE TEMP TABLE listed_now AS {sql('listed')}", EVERY_TASK)
    con.execute(
        f"INSERT INTO memory.main.{OPEN_TASKS} BY NAME FROM listed_now AS t WHERE t.is_open"
    )
    _count(con, TOUCHED, 1)
    con.execute(
        "INSERT INTO memory.main.touched_closed BY NAME FROM listed_now AS t WHERE NOT t.is_open"
    )
    con.execute("INSERT INTO memory.main.touched_stays BY NAME " + lifecycle.sql("stays"))


def _count(con: duckdb.DuckDBPyConnection, tasks: str, sign: int) -> None:
    """Add rows that count these open tasks, or with sign -1 take them out; the sums are right."""
    con.execute(
        f"INSERT INTO memory.main.{OPEN_COUNTS} BY NAME {counted(tasks)}",
        {"sign": sign},
    )
