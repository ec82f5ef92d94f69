"""A task names one patient and follows its record, decided on hand-made tables."""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines.rules import loading
from tests.unit.lifecycle.conftest import Lifecycle

RULES = loading.load_rules()
DECIDED = ("r", "V1")


class TestOnePatient:
    def test_a_merged_chart_takes_open_and_closed_tasks_along(self, run: Lifecycle) -> None:
        run.record("patients", patient_id="Q1", status="Active")
        run.record("cases", case_id="C-A", patient_id="Q1", is_discharged=False)
        run.visit(patient_id="Q1").task().candidate(patient_id="Q1")
        run.visit("V2", patient_id="Q1").task("completed", "V2")
        tasks = run.tasks()
        assert [(task["patient_id"], task["case_id"]) for task in tasks] == [("Q1", "C-A")] * 2
        moved = [event for event in run.events() if event["event"] == "patient_changed"]
        assert [event["from_patient_id"] for event in moved] == ["A", "A"]
        assert {event["reason"] for event in moved} == {
            "the record moved from patient A to patient Q1"
        }

    def test_it_moves_with_its_record_also_while_nobody_asks(self, run: Lifecycle) -> None:
        run.rule("m", clears="manual").task(rule_id="m")
        run.record("cases", case_id="C-Q", patient_id="Q", is_discharged=False)
        run.visit(patient_id="Q", case_id="C-Q")
        (task,) = run.tasks()
        assert (task["state"], task["patient_id"], task["case_id"]) == ("open", "Q", "C-Q")

    @pytest.mark.parametrize("state", ["open", "completed"])
    def test_an_id_used_again_for_another_patients_record_is_another_task(
        self, run: Lifecycle, state: str
    ) -> None:
        run.record("patients", patient_id="B", status="Active")
        run.record("cases", case_id="C-B", patient_id="B", is_discharged=False)
        run.visit(patient_id="B", case_id="C-B", visit_on=dt.date(2026, 11, 2))
        run.task(state).candidate(patient_id="B", case_id="C-B")
        old, new = run.tasks()
        assert (old["patient_id"], old["case_id"], old["is_latest"]) == ("A", "C-A", False)
        assert (old["state"], old["close_kind"]) == (
            ("cleared", "source_gone") if state == "open" else ("completed", "completed")
        )
        assert (new["patient_id"], new["occurrence"], new["state"]) == ("B", 2, "open")
        assert new["previous_task_id"] is None
        said = {event["event"]: event["reason"] for event in run.events()}
        assert "patient_changed" not in said
        if state == "open":
            assert said["source_gone"] == (
                "The id of the record now belongs to another patient's record."
            )

    def test_an_id_used_again_stays_apart_when_nothing_opens(self, run: Lifecycle) -> None:
        run.record("cases", case_id="C-B", patient_id="B", is_discharged=False)
        run.visit(patient_id="B", case_id="C-B", visit_on=dt.date(2026, 11, 2)).task("completed")
        (old,) = run.tasks()
        assert (old["patient_id"], old["is_latest"], old["record_on"]) == (
            "A",
            True,
            dt.date(2026, 10, 30),
        )
        assert run.events() == []

    @pytest.mark.parametrize(
        "same",
        [{"visit_on": dt.date(2026, 10, 30)}, {"case_id": "C-A"}],
        ids=["the same day", "the same case"],
    )
    def test_it_is_the_same_record_while_case_or_day_are_the_same(
        self, run: Lifecycle, same: dict
    ) -> None:
        run.record("cases", case_id="C-B", patient_id="B", is_discharged=False)
        other = {"patient_id": "B", "case_id": "C-B", "visit_on": dt.date(2026, 11, 2)}
        run.visit(**other | same).task("completed")
        (task,) = run.tasks()
        assert task["patient_id"] == "B"


class TestSince:
    def test_it_follows_the_record_and_is_in_the_history(self, run: Lifecycle) -> None:
        moved = dt.date(2026, 11, 1)
        run.task().candidate(since=moved)
        (task,) = run.tasks()
        assert (task["since"], task["since_is_inferred"]) == (moved, False)
        (event,) = run.events()
        assert (event["event"], event["since"]) == ("updated", moved)

    def test_a_task_of_a_period_keeps_the_day_it_has(self, run: Lifecycle) -> None:
        run.rule("w", period="week").task(rule_id="w")
        run.candidate(rule_id="w", since=dt.date(2026, 11, 2))
        (task,) = run.tasks()
        assert task["since"] == dt.date(2026, 10, 30)
        assert run.events() == []

    @pytest.mark.parametrize("was_inferred", [True, False])
    def test_an_inferred_day_stays_what_it_was(self, run: Lifecycle, was_inferred: bool) -> None:
        run.task(since_is_inferred=was_inferred)
        run.candidate(since=dt.date(2026, 11, 3), since_is_inferred=True)
        (task,) = run.tasks()
        assert (task["since"], task["since_is_inferred"]) == (dt.date(2026, 10, 30), was_inferred)
        assert run.events() == []

    def test_a_day_that_the_data_tell_replaces_an_inferred_one(self, run: Lifecycle) -> None:
        run.task(since_is_inferred=True).candidate(since=dt.date(2026, 10, 28))
        (task,) = run.tasks()
        assert (task["since"], task["since_is_inferred"]) == (dt.date(2026, 10, 28), False)
