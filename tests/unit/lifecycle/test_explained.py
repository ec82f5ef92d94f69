"""What explains the end of a task, on hand-made tables."""

from __future__ import annotations

from pipelines import lifecycle
from tests.unit.lifecycle.conftest import Lifecycle


class TestExplaining:
    def test_what_changed_of_another_rule_explains_nothing(self, run: Lifecycle) -> None:
        run.rule("q").task(payer_id="PAY1").insert("unexplained_rules", rule_id="q")
        run.insert("rule_changes", rule_id="q", says="days_ahead 14 → 7")
        run.insert("rule_changes", rule_id="q", payer_id="PAY1", says="days_ahead 14 → 7")
        (event,) = run.events()
        assert event["reason"] == "nothing asks for it any more"

    def test_a_payers_own_parameters_explain_its_tasks(self, run: Lifecycle) -> None:
        run.task(payer_id="PAY1").insert("rule_changes", rule_id="r", says="days_ahead 14 → 7")
        run.insert("rule_changes", rule_id="r", payer_id="PAY1", says="days_ahead 14 → 3")
        (event,) = run.events()
        assert event["reason"] == "days_ahead 14 → 3"

    def test_evidence_is_asked_for_what_leaves(self, run: Lifecycle) -> None:
        run.rule("next").converts("r", "next").rule("m", clears="manual")
        for visit in ("V2", "V3", "V4"):
            run.visit(visit)
        run.task().task(subject="V2").candidate("V2", rule_id="next")
        run.task(subject="V3").candidate("V3").task(subject="GONE").task("completed", "V4")
        run.task(rule_id="m").candidate("V4", rule_id="next")
        run.decide()
        rows = run.con.execute(lifecycle.sql("leaving_tasks")).fetchall()
        assert sorted(row[0] for row in rows) == ["r-V1-1", "r-V2-1"]

    def test_a_conversion_without_evidence_says_that_it_goes_on(self, run: Lifecycle) -> None:
        run.rule("next").converts("r", "next").task().candidate(rule_id="next")
        said = {event["event"]: event["reason"] for event in run.events()}
        assert said["converted"] == said["converted_from"] == "it goes on as another task"

    def test_a_conversion_names_the_record_of_its_evidence(self, run: Lifecycle) -> None:
        run.rule("next").converts("r", "next").task().candidate(rule_id="next").evidence()
        (event,) = [event for event in run.events() if event["event"] == "converted"]
        assert (event["record_table"], event["record_id"], event["amount"], event["reason"]) == (
            "payments", "P1", 40, "$40.00 paid",
        )  # fmt: skip

    def test_a_rule_without_evidence_converts_nothing_that_it_cannot_explain(
        self, run: Lifecycle
    ) -> None:
        run.rule("next").converts("r", "next").task().candidate(rule_id="next").evidence()
        run.insert("unexplained_rules", rule_id="r")
        assert [event for event in run.events() if event["event"] == "converted"] == []

    def test_a_record_that_is_gone_is_named_with_its_extract(self, run: Lifecycle) -> None:
        (event,) = run.task(subject="GONE").events()
        assert (event["event"], event["record_table"], event["record_id"], event["reason"]) == (
            "source_gone", "appointments", "GONE",
            "The record is no longer in the appointments extract.",
        )  # fmt: skip
