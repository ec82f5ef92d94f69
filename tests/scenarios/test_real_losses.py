"""A small table that really became smaller: the message names the guard and how to accept it."""

from __future__ import annotations

import pytest

from tests.conftest import Workbench
from tests.practice import Practice

UNPAID = "uncollected_payments"
ACCEPTED = ("--staff", "S3", "--reason", "F3 was sold")


@pytest.fixture
def three(practice: Practice) -> Practice:
    """Three facilities, each with 30 patients who owe for a visit; S3 is a manager."""
    practice.add("staff", "S3", name="Lee Park", role="Practice Administrator")
    for place in ("F1", "F2", "F3"):
        practice.add("facilities", place)
        for number in range(30):
            key = f"{place}-{number}"
            practice.patient(key, facility_id=place)
            practice.add("cases", f"C-{key}", facility_id=place)
            practice.visit(
                f"V-{key}", key, "2026-10-30T09:00:00", amount_due="40.00", facility_id=place
            )
    return practice


def run(workbench: Workbench, practice: Practice, day: float, *more: str) -> str:
    folder = practice.write(workbench.extracts / f"day{day}", None)
    as_of = workbench.day(day).isoformat()
    code, out, err = workbench.command("run", "--extracts", folder, "--as-of", as_of, *more)
    assert code == 0, err
    return out


def open_at(workbench: Workbench, day: float) -> dict[str, int]:
    tasks = workbench.tasks(day, "all", type=UNPAID)
    places = [task["facility_id"] for task in tasks if task["close_kind"] is None]
    return {place: places.count(place) for place in sorted(set(places))}


class TestAFacilityLess:
    @pytest.fixture
    def two(self, workbench: Workbench, three: Practice) -> Workbench:
        """Only the row of the facility is gone; its patients and visits are still delivered."""
        run(workbench, three, 1)
        said = run(workbench, three.remove("facilities", "F3"), 2)
        assert "facilities.csv has 2 rows where the run before read 3" in said
        assert "run --accept loss/facilities --staff ID --reason TEXT" in said
        assert open_at(workbench, 2) == {"F1": 30, "F2": 30, "F3": 30}
        return workbench

    def test_runs_and_health_name_the_guard(self, two: Workbench) -> None:
        code, out, _ = two.command("health", "--max-age", "9999999")
        assert code == 1 and "loss/facilities" in out and "run --accept GUARD" in out

    def test_accepted_it_is_the_new_yesterday(self, two: Workbench, three: Practice) -> None:
        said = run(two, three, 3, "--accept", "loss/facilities", *ACCEPTED)
        assert "accepted by S3" in said and "guard refused/" in said
        # Its rows cannot be read without it: this is a doubt of its own.
        said = run(two, three, 4, "--accept", "all", *ACCEPTED)
        held = {"F1": 30, "F2": 30, "F3": 30}
        assert open_at(two, 4) == held, "tasks of rows that cannot be read are held"
        said = run(two, three, 5)
        assert "refused/" not in said and "loss/" not in said, "accepted once"
        assert open_at(two, 5) == held

    def test_the_good_delivery_of_the_next_day_heals_it(
        self, two: Workbench, three: Practice
    ) -> None:
        three.add("facilities", "F3")
        assert "loss/" not in run(two, three, 3)
        assert two.command("health", "--max-age", "9999999")[0] == 0
