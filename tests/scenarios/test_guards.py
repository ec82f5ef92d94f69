"""Guards hold what a delivery would close or open far beyond the usual, until it is accepted."""

from __future__ import annotations

import pytest

from tests.conftest import Workbench
from tests.practice import Practice

UNPAID = "uncollected_payments"
GUARD = f"closings/{UNPAID}/F1"


@pytest.fixture
def owing(practice: Practice) -> Practice:
    """Twelve patients owe $40 for a visit each; S3 is a manager."""
    practice.add("staff", "S3", name="Lee Park", role="Practice Administrator")
    for number in range(12):
        practice.patient(f"A{number}").visit(
            f"V{number}", f"A{number}", "2026-10-30T09:00:00", amount_due="40.00"
        )
        practice.visit(f"N{number}", f"A{number}", "2026-11-10T09:00:00", status="Scheduled")
    return practice


def without_visits(practice: Practice) -> Practice:
    """Twelve visits are too few for the guard of keys."""
    for number in range(12):
        practice.remove("appointments", f"V{number}")
    return practice


def with_visits(practice: Practice) -> Practice:
    for number in range(12):
        practice.visit(f"V{number}", f"A{number}", "2026-10-30T09:00:00", amount_due="40.00")
    return practice


@pytest.fixture
def held(workbench: Workbench, owing: Practice) -> Workbench:
    """The second delivery lacks every visit that is not paid."""
    workbench.run(owing, 1)
    said = workbench.run(without_visits(owing), 2)
    assert GUARD in said and "12 of 12 open tasks would close without new work" in said
    return workbench


def states(workbench: Workbench, day: float) -> set[str]:
    return {*workbench.states(day, UNPAID).values()}


class TestAWrongDelivery:
    def test_it_is_held_and_health_says_so_with_its_age(
        self, held: Workbench, owing: Practice
    ) -> None:
        assert states(held, 2) == {"pending"}
        code, out, _ = held.command("health", "--max-age", "9999999")
        assert code == 1 and GUARD in out and "run --accept GUARD" in out
        assert "for 2 runs, 1 day" in held.run(owing, 3)
        assert states(held, 3) == {"pending"}
        assert held.command("health", "--max-age", "9999999")[0] == 1
        held.run(owing, 4)
        code, out, _ = held.command("health", "--max-age", "9999999")
        assert code == 2 and "for 3 runs, 2 days" in out, "nobody has looked: an alarm"

    def test_the_next_good_one_lifts_it(self, held: Workbench, owing: Practice) -> None:
        assert GUARD not in held.run(with_visits(owing), 3)
        assert states(held, 3) == {"pending"}
        assert held.command("health", "--max-age", "9999999")[0] == 0

    def test_what_is_held_leaves_no_event(self, held: Workbench) -> None:
        assert [event["event"] for event in held.history("A1", 2)] == ["opened"]

    def test_a_manager_accepts_it_once(self, held: Workbench, owing: Practice) -> None:
        folder = owing.write(held.extracts / "again", held.day(3))
        run = ("run", "--extracts", folder, "--as-of", held.day(3).isoformat())
        code, out, err = held.command(
            *run, "--accept", GUARD, "--staff", "S3", "--reason", "written off"
        )
        assert code == 0, err
        assert f"accepted by S3: written off: {GUARD}" in out
        assert states(held, 3) == {"source_gone"}
        assert GUARD not in held.run(owing, 4)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--accept", GUARD], "--accept needs --staff ID"),
            (["--accept", GUARD, "--staff", "S3"], "needs a reason"),
            (["--accept", "keys/staff", "--staff", "S3", "--reason", "x"], f"it has {GUARD}"),
            (["--accept", GUARD, "--staff", "S1", "--reason", "x"], "S1: only Therapy Director"),
            (["--accept", GUARD, "--staff", "S9", "--reason", "x"], "S9: there is no such staff"),
        ],
    )
    def test_what_cannot_be_accepted_is_said_and_nothing_runs(
        self, held: Workbench, owing: Practice, options: list[str], said: str
    ) -> None:
        folder = owing.write(held.extracts / "again", held.day(3))
        at = held.day(3).isoformat()
        code, _, err = held.command("run", "--extracts", folder, "--as-of", at, *options)
        assert code != 0 and said in err
        assert held.command("health", "--max-age", "9999999")[0] == 1


class TestTrueDeliveries:
    def test_payments_posted_at_once_are_work(self, workbench: Workbench, owing: Practice) -> None:
        workbench.run(owing, 1)
        for number in range(12):
            owing.payment(f"P{number}", f"A{number}", "2026-10-30", "40.00")
        assert "guard" not in workbench.run(owing, 2)
        assert states(workbench, 2) == {"cleared"}

    def test_payments_that_changed_their_amount_are_not(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        for number in range(12):
            owing.payment(f"P{number}", f"A{number}", "2026-10-30", "30.00")
        workbench.run(owing, 1)
        for number in range(12):
            owing.add("payments", f"P{number}", amount="3000.00")
        assert "values/payments" in workbench.run(owing, 2)
        assert states(workbench, 2) == {"pending"}

    def test_a_rule_that_the_practice_changed_withdraws_what_it_no_longer_asks_for(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing, 1)
        (workbench.data / "settings.toml").write_text(f"[rules.{UNPAID}]\ntolerance = 50.00\n")
        assert "guard" not in workbench.run(owing, 2)
        assert states(workbench, 2) == {"withdrawn"}

    def test_the_settings_say_how_much_is_too_much(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing, 1)
        (workbench.data / "settings.toml").write_text("[guards]\nclosings = 1\n")
        workbench.run(without_visits(owing), 2)
        assert states(workbench, 2) == {"source_gone"}

    def test_a_limit_that_is_no_number_is_refused(self, workbench: Workbench) -> None:
        workbench.data.mkdir(parents=True, exist_ok=True)
        (workbench.data / "settings.toml").write_text("[guards]\nclosings = 2\n")
        code, _, err = workbench.command("run", "--extracts", workbench.extracts)
        assert code == 2 and "guards.closings must be a number from 0 to 1" in err


def test_more_tasks_than_ever_are_held_until_accepted(
    workbench: Workbench, practice: Practice
) -> None:
    practice.add("staff", "S3", name="Lee Park", role="Practice Administrator")
    for number in range(21):
        practice.patient(f"A{number}").visit(
            f"N{number}", f"A{number}", "2026-11-10T09:00:00", status="Scheduled"
        )
    workbench.run(practice, 1)
    for number in range(21):
        practice.visit(f"V{number}", f"A{number}", "2026-10-30T09:00:00", amount_due="40.00")
    guard = f"openings/{UNPAID}/F1"
    assert guard in workbench.run(practice, 2)
    assert workbench.states(2, UNPAID) == {}
    folder = practice.write(workbench.extracts / "again", workbench.day(3))
    at = workbench.day(3).isoformat()
    accept = ("--accept", "all", "--staff", "S3", "--reason", "a new clinic's visits")
    assert workbench.command("run", "--extracts", folder, "--as-of", at, *accept)[0] == 0
    assert len(workbench.states(3, UNPAID)) == 21


def test_a_table_whose_keys_are_gone_is_refused_until_accepted(
    workbench: Workbench, practice: Practice
) -> None:
    practice.add("staff", "S3", name="Lee Park", role="Practice Administrator")
    for number in range(30):
        practice.patient(f"00{number}").visit(
            f"V{number}", f"00{number}", "2026-10-30T09:00:00", amount_due="40.00"
        )
    workbench.run(practice, 1)
    assert len(workbench.states(1, UNPAID)) == 30
    for number in range(25):
        practice.remove("appointments", f"V{number}")
    said = workbench.run(practice, 2)
    assert "lacks 25 of the 30 records that the run before had" in said
    assert {*workbench.states(2, UNPAID).values()} == {"pending"}
    folder = practice.write(workbench.extracts / "again", workbench.day(3))
    at = workbench.day(3).isoformat()
    accept = ("--accept", "keys/appointments", "--staff", "S3", "--reason", "clinic closed")
    code, out, err = workbench.command("run", "--extracts", folder, "--as-of", at, *accept)
    assert code == 0, err
    ended = [state for state in workbench.states(3, UNPAID).values() if state == "source_gone"]
    assert len(ended) == 25, "one acceptance is enough for the tasks of these records"
