"""Documents, faxes and booked visits over several nights: what closes a task, and what says so."""

from __future__ import annotations

import pytest

from tests.conftest import Workbench
from tests.practice import Practice

QUEUED = {"document_id": "D", "recipient": "Dr. Lee", "number": "555-0100"}
SENT = {**QUEUED, "status": "Sent", "sent_at": "2026-11-02T15:00:00"}


@pytest.fixture
def planned(practice: Practice) -> Practice:
    """A Medicare patient with a completed plan of care, seen on 30 October and booked again."""
    practice.patient("A").add("payers", "PAY1", kind="Medicare")
    practice.add("policies", "PO1", patient_id="A")
    practice.visit("V1", "A", "2026-10-30T09:00:00")
    practice.visit("V2", "A", "2026-11-20T09:00:00", status="Scheduled")
    return practice.document(
        "D",
        "A",
        appointment_id="V1",
        kind="Initial Evaluation",
        has_plan_of_care="true",
        status="Completed",
        completed_at="2026-10-30T16:00:00",
    )


def closings(workbench: Workbench, day: float) -> dict[str, tuple]:
    """How the tasks of patient A ended, by rule: kind, reason, record."""
    rules = {task["task_id"]: task["rule_id"] for task in workbench.tasks(day)}
    return {
        rules[event["task_id"]]: (event["event"], event["reason"], event["record_id"])
        for event in workbench.history("A", day)
        if event["event"] in ("cleared", "converted", "withdrawn")
    }


class TestFaxes:
    def test_a_fax_that_went_out_is_named_where_the_chain_goes_on(
        self, workbench: Workbench, planned: Practice
    ) -> None:
        workbench.run(planned, 1)
        workbench.run(planned.add("faxes", "X1", **SENT), 2)
        says = "faxed to Dr. Lee (555-0100) on 2026-11-02, fax X1"
        assert closings(workbench, 2) == {"faxing_required": ("converted", says, "X1")}
        task = workbench.one(2, "pending_signature", "D")
        assert task["reason"] == (
            "Initial Evaluation faxed on 2026-11-02 to Dr. Lee (555-0100), "
            "signature due by 2026-11-29 for Medicare"
        )
        planned.add("faxes", "X1", status="Failed", failed_at="2026-11-03T20:00:00")
        workbench.run(planned, 3)
        says = "the fax to Dr. Lee (555-0100) failed on 2026-11-03, fax X1"
        assert closings(workbench, 3)["pending_signature"] == ("converted", says, "X1")
        assert workbench.states(3, "failed_fax") == {("D", 1): "pending"}

    def test_a_plan_signed_before_it_was_seen_as_faxed_waits_for_no_signature(
        self, workbench: Workbench, planned: Practice
    ) -> None:
        workbench.run(planned, 1)
        planned.add("faxes", "X1", **SENT).add("documents", "D", signed_at="2026-11-02T20:00:00")
        workbench.run(planned, 2)
        assert closings(workbench, 2)["faxing_required"][0] == "cleared"
        assert workbench.states(2, "pending_signature") == {}

    def test_one_signed_later_stays_until_a_person_completes_it(
        self, workbench: Workbench, planned: Practice
    ) -> None:
        workbench.run(planned.add("faxes", "X1", **SENT), 2)
        workbench.run(planned.add("documents", "D", signed_at="2026-11-03T20:00:00"), 3)
        task = workbench.one(3, "pending_signature", "D")
        assert task["status"] == "pending"
        assert workbench.act("complete", task, 3.1)[0] == 0
        workbench.run(planned, 4)
        assert workbench.states(4, "pending_signature") == {("D", 1): "completed"}

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            ({"status": "Draft"}, "the document was put back to draft"),
            ({"has_plan_of_care": "false"}, "the document is no longer a plan of care"),
        ],
    )
    def test_a_document_that_is_no_completed_plan_is_withdrawn(
        self, workbench: Workbench, planned: Practice, values: dict, says: str
    ) -> None:
        workbench.run(planned, 1)
        workbench.run(planned.add("documents", "D", **values), 2)
        assert closings(workbench, 2) == {"faxing_required": ("withdrawn", says, "D")}

    @pytest.mark.parametrize("without", ["policies", "appointments"])
    def test_a_practice_that_delivers_no_policies_or_visits_gets_its_list(
        self, workbench: Workbench, planned: Practice, without: str
    ) -> None:
        workbench.run(planned, 1, without=(without,))
        assert workbench.states(1, "faxing_required") == {("D", 1): "pending"}


class TestDrafts:
    def test_a_draft_says_what_became_of_it(self, workbench: Workbench, planned: Practice) -> None:
        planned.add("documents", "D", status="Draft", completed_at=None)
        workbench.run(planned, 1)
        planned.add(
            "documents", "D", status="Review", submitted_for_review_at="2026-11-02T15:00:00"
        )
        workbench.run(planned, 2)
        says = "Initial Evaluation sent for review on 2026-11-02"
        assert closings(workbench, 2) == {"draft_documents": ("cleared", says, "D")}
        assert workbench.one(2, "review_documents", "D")["staff"] == "Unassigned"


class TestUnscheduled:
    def test_a_visit_booked_and_cancelled_again_is_a_new_gap_in_the_same_month(
        self, workbench: Workbench, planned: Practice
    ) -> None:
        planned.add("appointments", "V2", status="Cancelled")
        workbench.run(planned, 1)
        task = workbench.one(1, "unscheduled_patient", "A")
        assert workbench.act("complete", task, 1.1)[0] == 0
        workbench.run(planned, 2)
        assert workbench.states(2, "unscheduled_patient") == {("A", 1): "completed"}
        booked = {"status": "Scheduled", "created_at": "2026-11-03T15:00:00"}
        workbench.run(planned.visit("V3", "A", "2026-11-24T09:00:00", **booked), 3)
        workbench.run(planned.add("appointments", "V3", status="Cancelled"), 4)
        assert workbench.states(4, "unscheduled_patient") == {
            ("A", 1): "completed",
            ("A", 2): "pending",
        }
        again = workbench.one(4, "unscheduled_patient", "A", 2)
        assert (again["since"], again["since_is_inferred"]) == ("2026-11-05", True)
        workbench.run(planned, 4.5)
        assert workbench.one(4.5, "unscheduled_patient", "A", 2)["since"] == "2026-11-05"
        workbench.run(planned.visit("V4", "A", "2026-11-25T09:00:00", **booked), 5)
        says = "visit booked for 2026-11-25, appointment V4"
        assert closings(workbench, 5)["unscheduled_patient"] == ("cleared", says, "V4")

    def test_a_visit_booked_while_the_rule_was_withheld_is_work(
        self, workbench: Workbench, planned: Practice
    ) -> None:
        planned.add("appointments", "V2", starts_at="2026-12-24T09:00:00")
        workbench.run(planned, 1)
        planned.visit(
            "V3", "A", "2026-11-24T09:00:00", status="Scheduled", created_at="2026-11-03T15:00:00"
        )
        said = workbench.run(planned, 2, without=("cases",))
        assert "cases: no file of this table" in said
        workbench.run(planned, 3)
        says = "visit booked for 2026-11-24, appointment V3"
        assert closings(workbench, 3)["unscheduled_patient"] == ("cleared", says, "V3")


def test_nights_without_news_write_nothing(workbench: Workbench, planned: Practice) -> None:
    planned.patient("B").visit("V9", "B", "2026-10-28T09:00:00")
    planned.document("draft", "B", started_at="2026-10-29T09:00:00")
    planned.document("review", "B", status="Review", started_at="2026-10-29T09:00:00")
    planned.document("failed", "B", started_at="2026-10-29T09:00:00")
    planned.document("plan", "B", has_plan_of_care="true", status="Completed")
    planned.add("faxes", "X2", document_id="plan", status="Failed", failed_at="2026-10-29T12:00:00")
    planned.add("surveys", "Q1", case_id="C-B", completed_at="2026-10-29T12:00:00")
    workbench.run(planned, 1)
    rules = {task["rule_id"] for task in workbench.tasks(1)}
    assert {"draft_documents", "failed_fax", "faxing_required", "mips", "review_documents"} <= rules
    assert "unscheduled_patient" in rules
    first = [event for patient in "AB" for event in workbench.history(patient, 1)]
    for day in (2, 3, 9, 40):
        workbench.run(planned, day)
    later = [
        (event["event"], event["patient_id"], event["rule_id"])
        for patient in "AB"
        for event in workbench.history(patient, 40)
        if event["happened_at"] > first[-1]["happened_at"]
    ]
    # On 20 November patient A's only booked visit is over.
    assert later == [("opened", "A", "unscheduled_patient")]
