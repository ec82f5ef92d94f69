"""How much a run may close or open before a guard holds it."""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines.runs.guards import effects
from pipelines.runs.guards.effects import Group
from pipelines.runs.guards.model import age_in_words
from tests.conftest import Workbench

UNPAID = "uncollected_payments"
GUARD = f"closings/{UNPAID}/F1"


def guards_of(closings: list[Group], limit: float = 0.25) -> list[str]:
    return [guard.guard for guard in effects.too_many_closings(closings, limit)]


class TestLimits:
    @pytest.mark.parametrize(
        ("closings", "open_tasks", "trips"),
        [(5, 6, False), (6, 6, True), (6, 24, False), (7, 24, True), (10, 40, False)],
    )
    def test_closings_trip_above_the_floor_and_the_share(
        self, closings: int, open_tasks: int, trips: bool
    ) -> None:
        found = guards_of([Group("F1", UNPAID, closings, open_tasks), Group("F1", "mips", 0, 99)])
        assert found == ([GUARD] if trips else [])

    def test_a_facility_where_many_rules_close_a_little_trips_as_a_whole(self) -> None:
        rules = [Group("F1", f"rule{number}", 2, 3) for number in range(5)]
        assert guards_of([*rules, Group("F2", "rule0", 1, 90)]) == ["closings/all/F1"]

    def test_a_rule_that_closes_a_little_at_every_facility_trips_at_each(self) -> None:
        places = [Group(f"F{number}", UNPAID, 3, 4) for number in range(3)]
        quiet = [Group(f"F{number}", "mips", 0, 50) for number in range(4)]
        assert guards_of([*places, *quiet]) == [f"closings/{UNPAID}/F{n}" for n in range(3)]

    @pytest.mark.parametrize(
        ("openings", "largest", "trips"), [(20, 0, False), (21, 0, True), (21, 5, False)]
    )
    def test_openings_trip_above_the_floor_and_five_times_the_largest_run(
        self, openings: int, largest: int, trips: bool
    ) -> None:
        found = effects.too_many_openings([Group("F1", UNPAID, openings, largest)], 5)
        assert [guard.guard for guard in found] == ([f"openings/{UNPAID}/F1"] if trips else [])

    def test_the_age_of_a_guard(self) -> None:
        now = Workbench.day(5)
        assert age_in_words(now, 1, now) == "for 1 run"
        assert age_in_words(now - dt.timedelta(days=1), 2, now) == "for 2 runs, 1 day"
        assert age_in_words(now - dt.timedelta(days=2), 30, now) == "for 30 runs, 2 days"
