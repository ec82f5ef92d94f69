"""The stretches of days on which a task was on the list, from hand-made events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import duckdb
import pytest

from pipelines import lifecycle

NIGHT = dt.datetime(2026, 11, 1, 3, 30, tzinfo=dt.UTC)  # 23:30 of October 31 in New York
Stays = Callable[..., list[tuple]]


@pytest.fixture
def stays(lifecycle_tables: duckdb.DuckDBPyConnection) -> Stays:
    """stays((hours, event, staff)…, state="cleared"): stay, first and last day, end, by whom."""
    con = lifecycle_tables
    con.begin()
    con.execute("CREATE TEMP TABLE current_events AS " + lifecycle.sql("empty_events"))
    con.execute("CREATE TEMP TABLE current_tasks AS " + lifecycle.sql("empty_tasks"))
    con.execute("DELETE FROM staging.facilities")
    con.execute(
        "INSERT INTO staging.facilities (facility_id, time_zone) VALUES ('F1', 'America/New_York')"
    )

    def ask(*events: tuple, state: str = "cleared", facility: str | None = "F1") -> list[tuple]:
        con.execute(
            "INSERT INTO current_tasks (task_id, state, facility_id) VALUES ('T1', ?, ?)",
            [state, facility],
        )
        for number, (hours, event, staff) in enumerate(events):
            at = NIGHT + dt.timedelta(hours=hours)
            con.execute(
                "INSERT INTO current_events (event_no, task_id, event, happened_at, staff_id) "
                "VALUES (?, 'T1', ?, ?, ?)",
                [number, event, at, staff],
            )
        found = con.execute(
            "SELECT s.stay, CAST(s.in_on AS VARCHAR), CAST(s.out_on AS VARCHAR), s.ended_as, "
            f"s.ended_by FROM ({lifecycle.sql('stays')}) AS s ORDER BY s.stay"
        )
        return found.fetchall()

    yield ask
    con.rollback()


def test_a_task_is_on_the_list_from_its_opening_to_its_end(stays: Stays) -> None:
    found = stays((0, "opened", None), (30, "cleared", None))
    assert found == [(1, "2026-10-31", "2026-11-02", "cleared", None)]


def test_a_task_without_a_facility_goes_by_utc(stays: Stays) -> None:
    found = stays((0, "opened", None), (30, "cleared", None), facility=None)
    assert found == [(1, "2026-11-01", "2026-11-02", "cleared", None)]


def test_an_open_one_has_no_end(stays: Stays) -> None:
    assert stays((0, "opened", None), state="open") == [(1, "2026-10-31", None, None, None)]


def test_other_events_move_nothing(stays: Stays) -> None:
    found = stays((0, "opened", None), (9, "updated", None), (10, "assigned", "S1"), state="open")
    assert found == [(1, "2026-10-31", None, None, None)]


def test_a_second_closing_changes_nothing(stays: Stays) -> None:
    found = stays((0, "opened", None), (24, "completed", "S1"), (48, "cleared", None))
    assert found == [(1, "2026-10-31", "2026-11-01", "completed", "S1")]


def test_one_reopened_within_a_day_stayed(stays: Stays) -> None:
    found = stays(
        (0, "opened", None),
        (30, "completed", "S1"),
        (31, "reopened", "S2"),
        (54, "completed", "S2"),
    )
    assert found == [(1, "2026-10-31", "2026-11-03", "completed", "S2")]


def test_one_reopened_the_day_after_stands_twice(stays: Stays) -> None:
    found = stays(
        (0, "opened", None),
        (24, "completed", "S1"),
        (48, "reopened", "S1"),
        (72, "cleared", None),
        (73, "came_back", None),
        state="open",
    )
    assert found == [
        (1, "2026-10-31", "2026-11-01", "completed", "S1"),
        (2, "2026-11-02", None, None, None),
    ]


def test_a_reopened_occurrence_that_has_a_successor_stays_closed(stays: Stays) -> None:
    found = stays((0, "opened", None), (24, "cleared", None), (48, "reopened", "S1"))
    assert found == [(1, "2026-10-31", "2026-11-01", "cleared", None)]


def test_events_of_one_moment_count_in_their_order(stays: Stays) -> None:
    found = stays(
        (0, "opened", None), (24, "completed", "S1"), (24, "reopened", "S2"), state="open"
    )
    assert found == [(1, "2026-10-31", None, None, None)]


def test_an_update_before_the_end_does_not_hide_it(stays: Stays) -> None:
    found = stays((0, "opened", None), (9, "updated", None), (30, "cleared", None))
    assert found == [(1, "2026-10-31", "2026-11-02", "cleared", None)]


def test_of_two_spans_that_begin_at_one_moment_the_later_event_is_the_last(stays: Stays) -> None:
    found = stays(
        (0, "opened", None),
        (0, "completed", "S1"),
        (0, "reopened", "S1"),
        (30, "completed", "S2"),
    )
    assert found == [(1, "2026-10-31", "2026-11-02", "completed", "S2")]
