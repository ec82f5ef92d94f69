"""`run --undo`: the list before is live again, and what people did meanwhile stays."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Workbench
from tests.practice import Practice

UNPAID = "uncollected_payments"


@pytest.fixture
def owing(practice: Practice) -> Practice:
    """P1 and P2 owe $40 for a visit each; P3 will from the second delivery on."""
    practice.add("staff", "S3", name="Lee Park", role="Practice Administrator")
    for number in (1, 2, 3):
        practice.patient(f"P{number}")
    for number in (1, 2):
        practice.visit(f"V{number}", f"P{number}", "2026-10-30T09:00:00", amount_due="40.00")
    return practice


def second_delivery(practice: Practice) -> Practice:
    """It wrongly has a payment for P1; it rightly has a visit of P3."""
    practice.payment("M1", "P1", "2026-10-30", "40.00")
    return practice.visit("V3", "P3", "2026-10-30T10:00:00", amount_due="25.00")


@pytest.fixture
def acted(workbench: Workbench, owing: Practice) -> Workbench:
    """Two runs; people act after the second one, also on the task that only it opened."""
    workbench.run(owing, 1)
    workbench.run(second_delivery(owing), 2)
    assert workbench.states(2, UNPAID) == {
        ("V1", 1): "cleared",
        ("V2", 1): "pending",
        ("V3", 1): "pending",
    }
    for subject in ("V2", "V3"):
        task = workbench.one(2, UNPAID, subject)
        done = workbench.act("complete", task, 2.5, "--reason", "paid in cash")
        assert done[0] == 0, done
    return workbench


def undo(workbench: Workbench) -> str:
    code, out, err = workbench.command("run", "--undo")
    assert code == 0, err
    return out


class TestUndo:
    def test_the_list_before_is_live_and_actions_stay(self, acted: Workbench) -> None:
        said = undo(acted)
        assert "Live again" in said and "What people did stays" in said
        assert acted.states(3, UNPAID) == {("V1", 1): "pending", ("V2", 1): "completed"}

    def test_a_task_that_only_the_undone_run_had_keeps_its_action(
        self, acted: Workbench, owing: Practice
    ) -> None:
        undo(acted)
        _, out, _ = acted.command("health", "--format", "json")
        (ledger,) = [one for one in json.loads(out)["checks"] if one["check"] == "ledger"]
        assert ledger["status"] == "attention"
        assert "1 are on tasks that the last run did not have" in ledger["says"]
        owing.remove("payments", "M1")
        acted.run(owing, 3)
        assert acted.states(3, UNPAID) == {
            ("V1", 1): "pending",
            ("V2", 1): "completed",
            ("V3", 1): "completed",
        }
        acted.run(owing, 4)  # and once the run itself has applied it
        assert acted.states(4, UNPAID)["V3", 1] == "completed"
        events = [
            (one["event"], one["happened_at"])
            for one in acted.history("P3", 4)
            if one["title"] == "Uncollected Payments"
        ]
        when = acted.day(2.5).isoformat()
        assert [event for event, _ in events] == ["opened", "completed"]
        assert all(happened_at.startswith(when[:16]) for _, happened_at in events)

    def test_before_the_list_of_the_undone_run_nobody_had_the_task(
        self, acted: Workbench, owing: Practice
    ) -> None:
        undo(acted)
        acted.run(owing, 3)
        assert ("V3", 1) not in acted.states(2.2, UNPAID)
        assert acted.states(2.7, UNPAID)["V3", 1] == "completed"

    def test_it_goes_back_as_far_as_lists_are_kept(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        for day in (1, 2, 3):
            workbench.run(owing, day)
        assert "000002" in undo(workbench)
        assert "000001" in undo(workbench)
        code, _, err = workbench.command("run", "--undo")
        assert code == 2 and "the first run has none" in err

    def test_without_a_list_there_is_nothing_to_undo(self, workbench: Workbench) -> None:
        code, _, err = workbench.command("run", "--undo")
        assert code == 2 and "none to undo" in err


class TestItsDelivery:
    @pytest.fixture
    def dated(self, workbench: Workbench, owing: Practice) -> Workbench:
        """Two dated folders, each run as the newest one."""
        for number, day in ((1, "2026-11-02"), (2, "2026-11-03")):
            owing.write(workbench.extracts / day, workbench.day(number))
            assert self.run_newest(workbench, number)[0] == 0
        undo(workbench)
        return workbench

    @staticmethod
    def run_newest(workbench: Workbench, day: float) -> tuple[int, str, str]:
        as_of = workbench.day(day).isoformat()
        return workbench.command("run", "--extracts", workbench.extracts, "--as-of", as_of)

    def test_it_is_not_picked_again_until_something_in_it_changes(
        self, dated: Workbench, owing: Practice
    ) -> None:
        code, _, err = self.run_newest(dated, 2.5)
        assert code == 2 and "its run was undone" in err
        owing.write(dated.extracts / "2026-11-03", dated.day(2.2))
        assert self.run_newest(dated, 2.5)[0] == 0

    def test_a_person_may_run_it_all_the_same(self, dated: Workbench) -> None:
        folder, as_of = dated.extracts / "2026-11-03", dated.day(2.5).isoformat()
        assert dated.command("run", "--extracts", folder, "--as-of", as_of)[0] == 0

    def test_health_asks_for_another(
        self, dated: Workbench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WORKBENCH_EXTRACTS", str(dated.extracts))
        code, out, _ = dated.command("health", "--max-age", "9999999")
        assert code == 1 and "was undone, and nothing has arrived since" in out


def test_an_acceptance_that_led_to_the_undone_run_does_not_count_again(
    workbench: Workbench, practice: Practice
) -> None:
    practice.add("staff", "S3", name="Lee Park", role="Practice Administrator")
    for number in range(12):
        practice.patient(f"A{number}").visit(
            f"V{number}", f"A{number}", "2026-10-30T09:00:00", amount_due="40.00"
        )
        practice.visit(f"N{number}", f"A{number}", "2026-11-10T09:00:00", status="Scheduled")
    workbench.run(practice, 1)
    for number in range(12):
        practice.remove("appointments", f"V{number}")
    workbench.run(practice, 2)
    folder = practice.write(workbench.extracts / "accepted", workbench.day(3))
    code, _, err = workbench.command(
        *("run", "--extracts", folder, "--as-of", workbench.day(3).isoformat()),
        *("--accept", "all", "--staff", "S3", "--reason", "written off"),
    )
    assert code == 0, err
    assert set(workbench.states(3, UNPAID).values()) == {"source_gone"}
    undo(workbench)
    assert "12 of 12 open tasks" in workbench.run(practice, 4)
    assert set(workbench.states(4, UNPAID).values()) == {"pending"}
