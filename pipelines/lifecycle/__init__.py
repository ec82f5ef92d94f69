"""Decide and record what happens to each task, as set-based SQL."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from pipelines import sql_files
from pipelines.rules.model import Rule
from pipelines.vocabulary import CLOSE_KINDS, ENTERS_LIST
from pipelines.warehouse import snapshots

FOLDER = Path(__file__).parent


def sql(name: str) -> str:
    """The text of one SQL file of this room."""
    return sql_files.read(FOLDER / f"{name}.sql")


def create_move_kinds(con: duckdb.DuckDBPyConnection, name: str = "move_kinds") -> None:
    """Create `move_kinds`: the events that put a task on the list and those that take it off.

    Without a database in its name it is of this connection only.
    """
    moves = [(event, event in ENTERS_LIST) for event in (*ENTERS_LIST, *CLOSE_KINDS)]
    snapshots.create_table(con, name, "event VARCHAR, is_in BOOLEAN", moves)


def create_rule_patients(con: duckdb.DuckDBPyConnection, rules: Iterable[Rule]) -> None:
    """Create `rule_patients`: the statuses of patients for whom each rule opens tasks."""
    rows = [(rule.rule_id, status) for rule in rules for status in rule.patients]
    snapshots.create_table(con, "rule_patients", "rule_id VARCHAR, status VARCHAR", rows)
