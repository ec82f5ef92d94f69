"""The lifecycle through whole runs of the command line: at least one for each row of its table.

test_decisions.py has every row on hand-made tables.

Day n is 06:00 in New York on 1 November 2026 plus n days (Workbench.day).
"""

from __future__ import annotations

import pytest

from pipelines.rules import loading
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture
def owing(practice: Practice) -> Practice:
    """Patient A owes $40.00 for the visit V1 on 30 October."""
    return practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")


def paid(practice: Practice, key: str = "P1") -> Practice:
    return practice.payment(key, "A", "2026-10-30", "40.00")


class TestOpening:
    def test_a_condition_opens_one_task_dated_by_the_data(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing, 1)
        task = workbench.one(1, "uncollected_payments", "V1")
        assert task["status"] == "pending"
        assert (task["since"], task["age_days"]) == ("2026-10-30", 3)
        assert task["opened_at"].startswith("2026-11-02T11:00:00")
        assert task["amount"] == 40.0
        assert "$40.00" in task["reason"]

    def test_the_tasks_of_a_rule_that_was_taken_away_stay_under_its_name(
        self, workbench: Workbench, owing: Practice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        every = loading.load_rules()
        workbench.run(owing, 1)
        monkeypatch.setattr(
            loading,
            "load_rules",
            lambda: {name: rule for name, rule in every.items() if name != "uncollected_payments"},
        )
        workbench.run(paid(owing), 2)
        workbench.run(owing, 3)
        assert workbench.states(3, "uncollected_payments") == {("V1", 1): "pending"}
        (task,) = workbench.tasks(3, "pending", type="uncollected_payments", category="Billing")
        assert (task["title"], task["category"]) == ("Uncollected Payments", "Billing")
        assert workbench.act("complete", task, 3.1, "--reason", "waived")[0] == 0
        assert workbench.states(3.2, "uncollected_payments") == {("V1", 1): "completed"}

    def test_the_same_run_twice_changes_nothing(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing, 1)
        tasks, history = workbench.tasks(1), workbench.history("A", 1)
        workbench.run(owing, 1)
        assert workbench.tasks(1) == tasks
        assert workbench.history("A", 1) == history

    def test_a_run_cannot_go_back_in_time(self, workbench: Workbench, owing: Practice) -> None:
        workbench.run(owing, 2)
        code, _, err = workbench.command(
            "run", "--extracts", workbench.extracts / "001", "--as-of", workbench.day(1).isoformat()
        )
        assert code == 2
        assert "back in time" in err


class TestClearing:
    def test_it_clears_by_itself_when_the_work_is_done(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing, 1)
        workbench.run(paid(owing), 2)
        task = workbench.one(2, "uncollected_payments", "V1")
        assert (task["status"], task["close_kind"], task["closed_by"]) == (
            "cleared",
            "cleared",
            "system",
        )
        assert task["closed_at"].startswith("2026-11-03T11:00:00")

    def test_a_deferred_task_clears_while_hidden_and_keeps_its_deferral_in_the_history(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing, 1)
        workbench.act("defer", workbench.one(1, "uncollected_payments", "V1"), 1.1, "--for", "1w")
        workbench.run(paid(owing), 2)
        assert workbench.states(2, "uncollected_payments") == {("V1", 1): "cleared"}
        assert [
            e["event"] for e in workbench.history("A", 2) if e["rule_id"] == "uncollected_payments"
        ] == ["opened", "deferred", "cleared"]


class TestCompletion:
    def test_a_completed_task_stays_away_while_its_condition_persists(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing, 1)
        code, _ = workbench.act("complete", workbench.one(1, "uncollected_payments", "V1"), 1.2)
        assert code == 0
        for day in (2, 3, 9):
            workbench.run(owing, day)
        task = workbench.one(9, "uncollected_payments", "V1")
        assert (task["status"], task["close_kind"], task["closed_by"]) == (
            "completed",
            "completed",
            "S1",
        )
        assert len([t for t in workbench.tasks(9) if t["rule_id"] == "uncollected_payments"]) == 1

    def test_an_override_asks_for_a_reason_and_is_recorded_as_one(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        practice.patient("A").add("claims", "K", case_id="C-A").add(
            "claim_holds", "H", claim_id="K", held_at="2026-10-28T10:00:00"
        )
        workbench.run(practice, 1)
        task = workbench.one(1, "claim_submission_hold", "H")
        code, message = workbench.act("complete", task, 1.1)
        assert (code, "needs --reason" in message) == (1, True)
        assert workbench.act("complete", task, 1.1, "--reason", "Payer called")[0] == 0
        assert workbench.one(1.2, "claim_submission_hold", "H")["close_kind"] == "override"
        workbench.run(practice, 2)
        assert workbench.states(2, "claim_submission_hold") == {("H", 1): "override"}

    def test_a_reopened_task_is_on_the_list_again(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing, 1)
        task = workbench.one(1, "uncollected_payments", "V1")
        workbench.act("complete", task, 1.1)
        workbench.act("reopen", task, 1.2)
        assert workbench.one(1.3, "uncollected_payments", "V1")["status"] == "pending"
        workbench.run(owing, 2)
        assert workbench.states(2, "uncollected_payments") == {("V1", 1): "pending"}

    def test_what_the_system_cleared_cannot_be_reopened(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing, 1)
        task = workbench.one(1, "uncollected_payments", "V1")
        workbench.run(paid(owing), 2)
        code, message = workbench.act("reopen", task, 2.1)
        assert (code, "by itself" in message) == (1, True)


class TestPeriods:
    def survey(self, practice: Practice) -> Practice:
        return practice.patient("A").add(
            "surveys", "SV1", case_id="C-A", completed_at="2026-10-01T10:00:00"
        )

    def test_a_dismissed_mips_returns_on_monday_and_not_before(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        self.survey(practice)
        workbench.run(practice, 2)  # Tuesday 3 November
        assert workbench.one(2, "mips", "C-A")["since"] == "2026-11-02"
        workbench.act("complete", workbench.one(2, "mips", "C-A"), 2.1)
        workbench.run(practice, 7)  # Sunday
        assert workbench.states(7, "mips") == {("C-A", 1): "completed"}
        workbench.run(practice, 8)  # Monday
        assert workbench.states(8, "mips") == {("C-A", 1): "completed", ("C-A", 2): "pending"}
        workbench.run(practice, 16)  # open ones are not doubled next week
        assert workbench.states(16, "mips") == {("C-A", 1): "completed", ("C-A", 2): "pending"}


class TestConversion:
    def chain(self, practice: Practice) -> Practice:
        practice.patient("A")
        return practice.document(
            "D",
            "A",
            has_plan_of_care="true",
            status="Completed",
            completed_at="2026-10-30T10:00:00",
            last_editor_id="S2",
        )

    def test_faxing_required_becomes_pending_signature_linked_both_ways(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        workbench.run(self.chain(practice), 1)
        asked = workbench.one(1, "faxing_required", "D")
        assert asked["staff_id"] == "S2"
        workbench.run(
            practice.add(
                "faxes", "X1", document_id="D", status="Sent", sent_at="2026-11-02T15:00:00"
            ),
            2,
        )
        waiting = workbench.one(2, "pending_signature", "D")
        assert workbench.states(2, "faxing_required") == {("D", 1): "converted"}
        assert waiting["since"] == "2026-11-02"
        links = {(e["task_id"], e["event"], e["linked_task_id"]) for e in workbench.history("A", 2)}
        assert (asked["task_id"], "converted", waiting["task_id"]) in links
        assert (waiting["task_id"], "converted_from", asked["task_id"]) in links


class TestDischarge:
    def test_discharge_ends_what_dies_with_the_case_and_keeps_money(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        owing.add(
            "intake_submissions",
            "I1",
            patient_id="A",
            case_id="C-A",
            submitted_at="2026-10-29T10:00:00",
        )
        workbench.run(owing, 1)
        workbench.run(owing.add("cases", "C-A", discharged_on="2026-11-03"), 2)
        assert workbench.states(2, "intake_complete") == {("I1", 1): "discharged"}
        assert workbench.states(2, "uncollected_payments") == {("V1", 1): "pending"}
        assert workbench.states(2, "unscheduled_patient") == {("A", 1): "discharged"}
        workbench.run(owing, 3)
        assert workbench.states(3, "intake_complete") == {("I1", 1): "discharged"}, (
            "it does not open again on a discharged case"
        )

    def test_a_discharge_planned_for_later_ends_nothing_yet(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        owing.add(
            "intake_submissions",
            "I1",
            patient_id="A",
            case_id="C-A",
            submitted_at="2026-10-29T10:00:00",
        )
        workbench.run(owing.add("cases", "C-A", discharged_on="2026-11-20"), 1)
        assert workbench.states(1, "intake_complete") == {("I1", 1): "pending"}


class TestAbsence:
    def test_a_record_gone_from_a_complete_extract_closes_and_goes_on_when_it_is_back(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing, 1)
        row = dict(owing.tables["appointments"]["V1"])
        workbench.run(owing.remove("appointments", "V1"), 2)
        assert workbench.states(2, "uncollected_payments") == {("V1", 1): "source_gone"}
        owing.tables["appointments"]["V1"] = row
        workbench.run(owing, 3)
        assert workbench.states(3, "uncollected_payments") == {("V1", 1): "pending"}
        told = [
            event["event"]
            for event in workbench.history("A", 3)
            if event["rule_id"] == "uncollected_payments"
        ]
        assert told == ["opened", "source_gone", "came_back"]

    def test_a_missing_extract_withholds_its_rules_and_clears_nothing(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing, 1)
        out = workbench.run(paid(owing), 2, without=("appointments",))
        assert "withheld" in out
        assert workbench.states(2, "uncollected_payments") == {("V1", 1): "pending"}
        workbench.run(owing, 3)
        assert workbench.states(3, "uncollected_payments") == {("V1", 1): "cleared"}

    def test_a_refused_row_holds_its_own_task(self, workbench: Workbench, owing: Practice) -> None:
        workbench.run(owing, 1)
        workbench.run(owing.add("appointments", "V1", amount_due="forty"), 2)
        assert workbench.states(2, "uncollected_payments") == {("V1", 1): "pending"}

    def test_a_manifest_dated_in_the_future_does_not_freeze_the_list(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        workbench.run(owing.write(workbench.extracts / "future", workbench.day(60)), 1)
        workbench.run(paid(owing), 2)
        assert workbench.states(2, "uncollected_payments") == {("V1", 1): "cleared"}

    def test_a_short_horizon_withholds_unscheduled_patient(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        folder = practice.patient("A").write(workbench.extracts / "short", workbench.day(1))
        text = (
            (folder / "manifest.csv")
            .read_text()
            .replace(
                "appointments,2026-11-02T11:00:00+00:00,0,true,",
                "appointments,2026-11-02T11:00:00+00:00,0,true,2026-11-16",
            )
        )
        (folder / "manifest.csv").write_text(text)
        out = workbench.run(folder, 1)
        assert "appointments reach only to 2026-11-16" in out
        assert workbench.tasks(1) == []


class TestOwners:
    def test_the_last_editor_takes_over_from_the_scheduled_therapist(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        practice.add("staff", "S3", name="Ida Berg", role="Clinical Staff").patient("A")
        practice.visit("V1", "A", "2026-10-30T09:00:00", staff_id="S2").document(
            "D", "A", appointment_id="V1", started_at="2026-10-30T10:00:00"
        )
        workbench.run(practice, 1)
        task = workbench.one(1, "draft_documents", "D")
        assert (task["staff_id"], task["staff"]) == ("S2", "Omar Reyes")
        workbench.act("assign", task, 1.1, "--to", "S1")
        assert workbench.one(1.2, "draft_documents", "D")["staff_id"] == "S1"
        workbench.run(practice, 2)
        assert workbench.one(2, "draft_documents", "D")["staff_id"] == "S1", (
            "an assignment outlives a run"
        )
        workbench.run(practice.add("documents", "D", last_editor_id="S3"), 3)
        assert workbench.one(3, "draft_documents", "D")["staff_id"] == "S3"
        assert "owner_changed" in [event["event"] for event in workbench.history("A", 3)]

    def test_the_payer_is_the_primary_policy_in_force_on_the_tasks_date_else_self_pay(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        owing.add("payers", "PAY2", name="Cigna").patient("B").visit(
            "V2", "B", "2026-10-30T09:00:00", amount_due="5.00"
        )
        owing.add("policies", "OLD", patient_id="A", payer_id="PAY2", ends_on="2026-10-29").add(
            "policies", "NOW", patient_id="A", starts_on="2026-10-30"
        )
        owing.add("policies", "SECOND", patient_id="B", rank="2")
        workbench.run(owing, 1)
        task, other = (workbench.one(1, "uncollected_payments", visit) for visit in ("V1", "V2"))
        assert (task["payer_id"], task["payer"]) == ("PAY1", "Aetna")
        assert (other["payer_id"], other["payer"]) == (None, "Self-pay")
