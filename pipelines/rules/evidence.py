"""Ask the rules why their tasks are no longer asked for: what was done, or what changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import duckdb

from pipelines.rules import loading, sql
from pipelines.rules.evaluate import safe_message
from pipelines.rules.model import EVIDENCE_TYPES, LEAVING_TYPES, Applied, Params, Rule


def collect(con: duckdb.DuckDBPyConnection, applied: Applied, as_of: dt.datetime) -> dict[str, str]:
    """Fill the temp table `evidence`, at most one row for each task of `leaving_tasks`.

    The result says by rule why its evidence could not be asked; nothing of it may be closed then.
    """
    types = ", ".join(f"{name} {sql_type}" for name, sql_type in EVIDENCE_TYPES.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE explanations (rule_id VARCHAR, {types})")
    left = con.execute("SELECT DISTINCT t.rule_id FROM leaving_tasks AS t").fetchall()
    rules = [applied.rules[rule_id] for (rule_id,) in sorted(left)]
    asked = [rule for rule in rules if rule.evidence is not None]
    _create_before(con, {table for rule in asked for table in rule.compares})
    failures: dict[str, str] = {}
    for rule in asked:
        why = _explain(con, rule, applied.payers.get(rule.rule_id, {}), as_of)
        if why is not None:
            failures[rule.rule_id] = why
    con.execute("CREATE OR REPLACE TEMP TABLE evidence AS " + sql("evidence"))
    return failures


def _create_before(con: duckdb.DuckDBPyConnection, tables: set[str]) -> None:
    """Make before.<table> of these staged tables: the rows of the previous run, or no rows.

    A column that an earlier version did not stage is NULL.
    """
    con.execute("CREATE SCHEMA IF NOT EXISTS before")
    for table in sorted(tables):
        staged = _columns(con, "snapshot", table)
        earlier = _columns(con, "previous", table)
        columns = ", ".join(
            f"p.{name}" if name in earlier else f"CAST(NULL AS {sql_type}) AS {name}"
            for name, sql_type in staged.items()
        )
        source = "previous" if earlier else "snapshot"
        none = "" if earlier else " LIMIT 0"
        con.execute(
            f"CREATE OR REPLACE VIEW before.{table} AS "
            f"SELECT {columns} FROM {source}.staging.{table} AS p{none}"
        )


def _columns(con: duckdb.DuckDBPyConnection, database: str, table: str) -> dict[str, str]:
    """The columns of a staged table of a snapshot with their types; empty where it has none."""
    rows = con.execute(
        "SELECT c.column_name, c.data_type FROM duckdb_columns() AS c "
        "WHERE c.database_name = $database AND c.schema_name = 'staging' "
        "AND c.table_name = $name ORDER BY c.column_index",
        {"database": database, "name": table},
    ).fetchall()
    return dict(rows)


def _explain(
    con: duckdb.DuckDBPyConnection,
    rule: Rule,
    payers: Mapping[str, Params],
    as_of: dt.datetime,
) -> str | None:
    """Add the rule's explanations; the reason if it fails, and then none are kept."""
    assert rule.evidence is not None
    try:
        for payer_id, params in _asked_with(rule, payers):
            con.execute(
                f"CREATE OR REPLACE TEMP TABLE leaving AS SELECT {', '.join(LEAVING_TYPES)} "
                f"FROM leaving_tasks WHERE task_id IN ({sql('leaving')})",
                {"rule_id": rule.rule_id, "payer_id": payer_id, "own_payers": list(payers)},
            )
            given = loading.arguments(con, rule.evidence, {**params, "as_of": as_of})
            con.execute("CREATE OR REPLACE TEMP TABLE answer AS " + rule.evidence, given)
            con.execute(
                f"INSERT INTO explanations SELECT $rule_id, {', '.join(EVIDENCE_TYPES)} "
                "FROM answer",
                {"rule_id": rule.rule_id},
            )
    except (duckdb.OutOfMemoryException, duckdb.IOException):
        raise
    except duckdb.Error as error:
        con.execute("DELETE FROM explanations WHERE rule_id = $rule_id", {"rule_id": rule.rule_id})
        return f"its evidence failed: {type(error).__name__} {safe_message(error)}".strip()
    return None


def _asked_with(rule: Rule, payers: Mapping[str, Params]) -> Iterator[tuple[str | None, Params]]:
    """The payers that have parameters of their own, after all others (None)."""
    yield None, rule.params
    for payer_id, params in payers.items():
        yield payer_id, {**rule.params, **params}
