"""What a run counts of its decisions and tasks, and the tables before the first run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import pytest

from pipelines import lifecycle
from pipelines.warehouse import snapshots

TODAY = dt.date(2026, 11, 3)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with snapshots.connect() as con:
        yield con


@pytest.mark.parametrize("name", ["empty_tasks", "empty_events", "empty_held"])
def test_before_the_first_run_there_is_nothing(con: duckdb.DuckDBPyConnection, name: str) -> None:
    assert con.execute(lifecycle.sql(name)).fetchall() == []


def test_decisions_that_do_something_are_counted_by_rule(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE decisions (rule_id VARCHAR, decision VARCHAR)")
    decisions = ["open", "open", "cleared", "hold", "none", "away", "refresh"]
    rows = [("r", decision) for decision in decisions] + [("q", "open")]
    con.executemany("INSERT INTO decisions VALUES (?, ?)", rows)
    assert con.execute(lifecycle.sql("decision_counts")).fetchall() == [
        ("q", "open", 1), ("r", "cleared", 1), ("r", "hold", 1), ("r", "open", 2),
    ]  # fmt: skip


def test_open_tasks_are_old_after_so_many_days_of_their_facility(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("CREATE SCHEMA snapshot")
    con.execute("CREATE SCHEMA staging")
    con.execute("CREATE TABLE staging.facilities (facility_id VARCHAR, today DATE)")
    yesterday = TODAY - dt.timedelta(days=1)
    con.execute("INSERT INTO staging.facilities VALUES ('F1', ?), ('F2', ?)", [TODAY, yesterday])
    con.execute(f"CREATE TABLE snapshot.tasks AS {lifecycle.sql('empty_tasks')}")
    tasks = [("open", "F1", 90), ("open", "F1", 91), ("open", "F2", 91), ("open", "F2", 92)]
    tasks += [("cleared", "F1", 200), ("open", "F9", 200)]
    con.executemany(
        "INSERT INTO snapshot.tasks (state, facility_id, since) VALUES (?, ?, ?)",
        [(state, facility, TODAY - dt.timedelta(days=days)) for state, facility, days in tasks],
    )
    assert con.execute(lifecycle.sql("old_tasks"), {"days": 90}).fetchall() == [(4, 2, TODAY)]


def test_what_is_set_aside_is_counted_by_rule_and_facility(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE set_aside (rule_id VARCHAR, facility_id VARCHAR, since DATE, "
        "would_open BOOLEAN)"
    )
    con.executemany(
        "INSERT INTO set_aside VALUES (?, ?, ?, ?)",
        [
            ("r", "F1", dt.date(2026, 1, 2), True),
            ("r", "F1", dt.date(2026, 1, 1), True),
            ("r", "F1", dt.date(2025, 1, 1), False),
            ("r", "F2", dt.date(2026, 1, 3), True),
            ("q", "F1", dt.date(2026, 1, 4), True),
        ],
    )
    assert sorted(con.execute(lifecycle.sql("set_aside_counts")).fetchall()) == [
        ("q", "F1", 1, dt.date(2026, 1, 4)),
        ("r", "F1", 2, dt.date(2026, 1, 1)),
        ("r", "F2", 1, dt.date(2026, 1, 3)),
    ]
