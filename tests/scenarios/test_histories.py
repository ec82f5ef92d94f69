"""Histories over several runs with people acting in between, read as an auditor would."""

from __future__ import annotations

import pytest

from tests.conftest import Workbench
from tests.practice import Practice

UNPAID = "uncollected_payments"


class Audit:
    """Runs over one practice; every list that a run published must read the same later."""

    def __init__(self, workbench: Workbench, practice: Practice) -> None:
        self.workbench, self.practice = workbench, practice
        self.published: dict[float, list[dict]] = {}
        self.merged: dict[str, str] = {}  # old patient id → the one that past lists name now

    def run(self, day: float) -> None:
        """Run on that day and keep what it published; every earlier list is still the same."""
        self.workbench.run(self.practice, day)
        self.published[day] = self.workbench.tasks(day)
        for earlier, published in self.published.items():
            tasks = [
                {**t, "patient_id": self.merged[t["patient_id"]]}
                if t["patient_id"] in self.merged and t["rule_id"] == UNPAID
                else t
                for t in published
            ]
            assert self.workbench.tasks(earlier) == tasks, f"the list of day {earlier} changed"

    def story(self, patient_id: str, day: float, rule_id: str) -> list[str]:
        """The events of one rule's tasks of a patient, the oldest first."""
        history = self.workbench.history(patient_id, day)
        return [e["event"] for e in history if e["rule_id"] == rule_id]


@pytest.fixture
def audit(workbench: Workbench, practice: Practice) -> Audit:
    """Patient A owes $40.00 for the visit V1 on 30 October."""
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    return Audit(workbench, practice)


class TestGoneAndBack:
    def test_a_task_that_only_people_clear_goes_on_though_nothing_asks_for_it(
        self, audit: Audit
    ) -> None:
        asked = {"patient_id": "A", "case_id": "C-A"}
        asked |= {"verification_requested_at": "2026-10-30T09:00:00"}
        audit.practice.add("policies", "PO1", **asked)
        audit.run(1)
        audit.practice.remove("policies", "PO1")
        audit.run(2)
        audit.practice.add("policies", "PO1", **asked, verified_at="2026-11-03T09:00:00")
        audit.run(3)
        audit.run(4)
        rule_id = "benefit_verification_required"
        assert audit.story("A", 4, rule_id) == ["opened", "source_gone", "came_back"]
        task = audit.workbench.one(4, rule_id, "PO1")
        assert (task["status"], task["closed_at"]) == ("pending", None)

    def test_a_record_that_came_back_paid_opens_anew_when_the_payment_goes(
        self, audit: Audit
    ) -> None:
        practice = audit.practice
        audit.run(1)
        visit = dict(practice.tables["appointments"]["V1"])
        practice.remove("appointments", "V1")
        audit.run(2)
        practice.add("appointments", "V1", **visit)
        practice.payment("P1", "A", "2026-10-30", "40.00")
        audit.run(3)
        practice.remove("payments", "P1")
        audit.run(4)
        assert audit.story("A", 4, UNPAID) == ["opened", "source_gone", "opened"]
        assert audit.workbench.states(4, UNPAID) == {("V1", 1): "source_gone", ("V1", 2): "pending"}

    def test_a_record_whose_question_waited_comes_back_when_it_is_answered(
        self, audit: Audit
    ) -> None:
        practice = audit.practice
        audit.run(1)
        visit = dict(practice.tables["appointments"]["V1"])
        practice.remove("appointments", "V1")
        audit.run(2)
        practice.add("appointments", "V1", **visit).payment("P1", "A", "2026-10-30", "$1x")
        audit.run(3)
        practice.remove("payments", "P1")
        audit.run(4)
        assert audit.story("A", 4, UNPAID) == ["opened", "source_gone", "came_back"]


class TestPublicReports:
    def test_a_payment_that_cannot_be_read_opens_no_unpaid_visit(self, audit: Audit) -> None:
        audit.practice.payment("P1", "A", "2026-10-30", "40.00")
        audit.run(1)
        audit.practice.add("payments", "P1", amount="forty dollars")
        audit.run(2)
        audit.run(3)
        assert audit.workbench.states(3, UNPAID) == {}
        audit.practice.add("payments", "P1", amount="10.00")
        audit.run(4)
        assert audit.workbench.one(4, UNPAID, "V1")["amount"] == 30

    def test_visits_with_an_unknown_status_open_no_unscheduled_patient(self, audit: Audit) -> None:
        practice = audit.practice
        for number in range(4):
            practice.patient(f"Q{number}").visit(
                f"S{number}", f"Q{number}", "2026-11-10T09:00:00", status="Scheduled"
            )
        audit.run(1)
        before = audit.workbench.states(1, "unscheduled_patient")
        for number in range(4):
            practice.add("appointments", f"S{number}", status="Penciled")
        audit.run(2)
        assert audit.workbench.states(2, "unscheduled_patient") == before

    def test_a_merged_chart_takes_task_and_history_along(self, audit: Audit) -> None:
        practice, workbench = audit.practice, audit.workbench
        practice.patient("Q1")
        audit.run(1)
        workbench.act("note", workbench.one(1, UNPAID, "V1"), 1.1, "--reason", "called")
        practice.add("appointments", "V1", patient_id="Q1")
        practice.add("cases", "C-A", patient_id="Q1").remove("patients", "A")
        audit.merged = {"A": "Q1"}
        audit.run(2)
        audit.run(3)
        assert audit.story("Q1", 3, UNPAID) == ["opened", "noted", "patient_changed"]
        assert workbench.one(3, UNPAID, "V1")["patient_id"] == "Q1"
