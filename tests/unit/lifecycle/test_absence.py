"""What is missing or refused opens and closes nothing, decided on hand-made tables."""

from __future__ import annotations

import pytest

from pipelines.extracts import contract
from pipelines.rules import evaluate, loading
from tests.unit.lifecycle.conftest import Lifecycle

RULES = loading.load_rules()
DECIDED = ("r", "V1")


class TestAbsence:
    def test_a_record_gone_from_a_complete_extract_closes_its_task(self, run: Lifecycle) -> None:
        run.rule("m", clears="manual").task(subject="GONE").task(rule_id="m", subject="GONE")
        assert run.decide() == {("r", "GONE"): "source_gone", ("m", "GONE"): "source_gone"}
        assert {event["reason"] for event in run.events()} == {
            "The record is no longer in the appointments extract."
        }

    def test_a_record_that_returns_opens_the_next_occurrence(self, run: Lifecycle) -> None:
        run.task("cleared", close_kind="source_gone", is_away=True).candidate()
        assert run.decide() == {DECIDED: "open"}
        assert [task["occurrence"] for task in run.tasks()] == [1, 2]

    def test_a_rule_that_did_not_answer_changes_nothing(self, run: Lifecycle) -> None:
        run.con.execute("UPDATE rules SET is_answered = FALSE")
        run.task().task("completed", "V2")
        assert run.decide() == {}
        assert [task["state"] for task in run.tasks()] == ["open", "completed"]
        assert [task["is_away"] for task in run.tasks()] == [False, False]
        assert run.events() == []

    @pytest.mark.parametrize("rule_id", RULES)
    def test_no_rule_answers_without_facilities_patients_and_cases(self, rule_id: str) -> None:
        assert {"facilities", "patients", "cases"} <= evaluate.needed_tables(RULES[rule_id])

    @pytest.mark.parametrize("state", ["open", "completed"])
    def test_a_refused_row_holds_its_own_task(self, run: Lifecycle, state: str) -> None:
        run.task(state).refused("appointments", "appointments", "V1")
        assert run.decide() == {DECIDED: "hold" if state == "open" else "none"}
        assert [(task["state"], task["is_away"]) for task in run.tasks()] == [(state, False)]

    @pytest.mark.parametrize(
        ("table", "is_read", "decision"),
        [("payments", True, "hold"), ("payments", False, "withdrawn")],
        ids=["read", "only needed"],
    )
    def test_a_refused_row_of_the_case_holds_what_reads_its_table(
        self, run: Lifecycle, table: str, is_read: bool, decision: str
    ) -> None:
        run.task().reads(table, is_read=is_read).refused(table, "cases", "C-A")
        assert run.decide() == {DECIDED: decision}

    def test_a_refused_row_of_another_case_or_table_holds_nothing(self, run: Lifecycle) -> None:
        run.task().reads("payments").refused("payments", "cases", "C-B")
        run.refused("faxes", "cases", "C-A").refused("appointments", "appointments", "V2")
        assert run.decide() == {DECIDED: "withdrawn"}

    def test_a_refused_visit_holds_the_authorization_it_would_count_for(
        self, run: Lifecycle
    ) -> None:
        run.rule("a", subject_table="authorizations").reads("authorizations", "a")
        run.record("authorizations", authorization_id="AU", case_id="C-A")
        run.task(rule_id="a", subject="AU").refused("appointments", "cases", "C-A")
        assert run.decide() == {("a", "AU"): "hold"}

    def test_a_refused_case_holds_the_tasks_of_its_patient(self, run: Lifecycle) -> None:
        run.rule("p", subject_table="patients").reads("cases", "p", is_read=False)
        run.task(rule_id="p", subject="A", case_id=None).refused("cases", "patients", "A")
        assert run.decide() == {("p", "A"): "hold"}

    def test_a_case_that_names_no_patient_holds_every_patients_tasks(self, run: Lifecycle) -> None:
        run.rule("p", subject_table="patients").task(rule_id="p", subject="A").task()
        run.refused_unnamed("cases")
        assert run.decide() == {("p", "A"): "hold", DECIDED: "withdrawn"}

    def test_a_row_without_an_id_may_be_the_record_that_is_missing(self, run: Lifecycle) -> None:
        run.task(subject="GONE").task().refused_unnamed("appointments")
        assert run.decide() == {("r", "GONE"): "hold", DECIDED: "withdrawn"}

    @pytest.mark.parametrize("rule_id", RULES)
    def test_the_subject_of_every_rule_can_be_looked_up(self, run: Lifecycle, rule_id: str) -> None:
        table = RULES[rule_id].subject_table
        assert table in contract.TABLES
        run.record(table, **{contract.key_of(table): "X"})
        found = run.con.execute(
            "SELECT COUNT(*) FROM subjects AS s WHERE s.subject_table = ? AND s.subject_id = 'X'",
            [table],
        ).fetchone()
        assert found == (1,)
