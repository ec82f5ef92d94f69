"""What is missing or refused opens and closes nothing, decided on hand-made tables."""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines.extracts import contract
from pipelines.rules import evaluate, loading
from tests.unit.lifecycle.conftest import AS_OF, Lifecycle

RULES = loading.load_rules()
DECIDED = ("r", "V1")


class TestAbsence:
    def test_a_record_gone_from_a_complete_extract_closes_its_task(self, run: Lifecycle) -> None:
        run.rule("m", clears="manual").task(subject="GONE").task(rule_id="m", subject="GONE")
        assert run.decide() == {("r", "GONE"): "source_gone", ("m", "GONE"): "source_gone"}
        assert {event["reason"] for event in run.events()} == {
            "The record is no longer in the appointments extract."
        }

    def test_a_rule_that_did_not_answer_changes_nothing(self, run: Lifecycle) -> None:
        run.con.execute("UPDATE rules SET is_answered = FALSE")
        run.task().task("completed", "V2")
        assert run.decide() == {}
        assert [task["state"] for task in run.tasks()] == ["open", "completed"]
        assert [task["is_away"] for task in run.tasks()] == [False, False]
        assert run.events() == []

    def test_a_closed_task_of_it_keeps_how_it_ended(self, run: Lifecycle) -> None:
        run.con.execute("UPDATE rules SET is_answered = FALSE")
        (task,) = run.task("completed").tasks()
        ended = (task["closed_at"], task["closed_by"], task["close_kind"])
        assert ended == (AS_OF - dt.timedelta(hours=20), "S1", "completed")

    def test_a_task_of_a_rule_that_was_taken_away_stays(self, run: Lifecycle) -> None:
        (task,) = run.task(rule_id="former").tasks()
        assert (task["rule_id"], task["state"], task["since"]) == (
            "former",
            "open",
            dt.date(2026, 10, 30),
        )

    @pytest.mark.parametrize("rule_id", RULES)
    def test_no_rule_answers_without_facilities_patients_and_cases(self, rule_id: str) -> None:
        assert {"facilities", "patients", "cases"} <= evaluate.needed_tables(RULES[rule_id])

    @pytest.mark.parametrize("state", ["open", "completed"])
    def test_a_refused_row_holds_its_own_task(self, run: Lifecycle, state: str) -> None:
        run.task(state).refused("appointments", "appointments", "V1")
        assert run.decide() == {DECIDED: "hold" if state == "open" else "none"}
        assert [(task["state"], task["is_away"]) for task in run.tasks()] == [(state, False)]

    def test_a_held_task_that_nobody_asks_for_keeps_its_facility(self, run: Lifecycle) -> None:
        (held,) = run.task().refused("appointments", "appointments", "V1").held()
        assert (held["facility_id"], held["is_opening"], held["patient_id"]) == ("F1", False, "A")

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

    @pytest.mark.parametrize(
        ("table", "id_table", "id_value"),
        [
            ("appointments", "policies", "V1"),
            ("appointments", "policies", "C-A"),
            ("payments", "policies", "C-A"),
            ("payments", "patients", "C-A"),
        ],
    )
    def test_the_same_id_of_another_table_holds_nothing(
        self, run: Lifecycle, table: str, id_table: str, id_value: str
    ) -> None:
        run.task().reads("payments").refused(table, id_table, id_value)
        assert run.decide() == {DECIDED: "withdrawn"}

    def test_a_row_without_an_id_of_another_table_is_not_the_record(self, run: Lifecycle) -> None:
        run.rule("p", subject_table="patients").task(rule_id="p", subject="A")
        run.task(subject="GONE").reads("faxes").reads("faxes", "p").refused_unnamed("faxes")
        assert run.decide() == {("r", "GONE"): "source_gone", ("p", "A"): "withdrawn"}

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


class TestRecordsThatComeBack:
    def test_within_the_days_the_same_occurrence_goes_on_as_it_was(self, run: Lifecycle) -> None:
        later = AS_OF + dt.timedelta(days=3)
        run.task("cleared", close_kind="source_gone", is_away=True, deferred_until=later)
        run.con.execute("UPDATE tasks_with_actions SET assigned_to_id = 'S2', gone_at = opened_at")
        run.candidate(reason="still unpaid")
        assert run.decide() == {DECIDED: "came_back"}
        (task,) = run.tasks()
        assert (task["state"], task["occurrence"], task["assigned_to_id"]) == ("open", 1, "S2")
        assert (task["deferred_until"], task["reason"]) == (later, "still unpaid")
        closed = [task[name] for name in ("closed_at", "closed_by", "close_kind", "gone_at")]
        assert closed == [None] * 4
        assert not task["is_away"]
        assert [event["event"] for event in run.events()] == ["came_back", "updated"]

    def test_what_comes_back_unasked_keeps_its_owner_and_values(self, run: Lifecycle) -> None:
        gone = {"close_kind": "source_gone", "is_away": True, "rule_staff_id": "S2", "amount": 40}
        run.rule("m", clears="manual").task("cleared", rule_id="m", **gone)
        (task,) = run.tasks()
        assert (task["state"], task["rule_staff_id"], task["amount"]) == ("open", "S2", 40)
        assert [event["event"] for event in run.events()] == ["came_back"]

    @pytest.mark.parametrize(("is_away", "decided"), [(True, "none"), (False, "away")])
    def test_what_clears_by_itself_comes_back_only_when_asked_for(
        self, run: Lifecycle, is_away: bool, decided: str
    ) -> None:
        run.task("cleared", close_kind="source_gone", is_away=is_away)
        assert run.decide() == {DECIDED: decided}

    def test_a_completed_task_of_a_manual_rule_does_not_come_back(self, run: Lifecycle) -> None:
        run.rule("m", clears="manual").task("completed", rule_id="m")
        assert run.decide() == {("m", "V1"): "away"}

    def test_a_patient_who_is_inactive_now_keeps_the_task(self, run: Lifecycle) -> None:
        run.record("patients", patient_id="A", status="Inactive")
        run.task("cleared", close_kind="source_gone", is_away=True).candidate()
        assert run.decide() == {DECIDED: "came_back"}

    @pytest.mark.parametrize(("days", "decided"), [(30, "came_back"), (31, "open")])
    def test_later_it_is_the_next_occurrence(self, run: Lifecycle, days: int, decided: str) -> None:
        closed_at = AS_OF - dt.timedelta(days=days)
        run.task("cleared", close_kind="source_gone", is_away=True, closed_at=closed_at)
        assert run.candidate().decide() == {DECIDED: decided}

    def test_a_task_that_ended_otherwise_does_not_come_back(self, run: Lifecycle) -> None:
        run.task("cleared", is_away=True).candidate()
        assert run.decide() == {DECIDED: "open"}

    def test_a_completed_task_stays_completed_when_its_record_was_away(
        self, run: Lifecycle
    ) -> None:
        run.con.execute("DELETE FROM staging.appointments")
        run.task("completed")
        assert run.decide() == {DECIDED: "none"}
        (gone,) = run.tasks()
        assert (gone["gone_at"], gone["is_away"]) == (AS_OF, False)
        run.visit().candidate()
        run.con.execute("UPDATE tasks_with_actions SET gone_at = closed_at")
        assert run.decide() == {DECIDED: "none"}
        (back,) = run.tasks()
        assert (back["state"], back["gone_at"]) == ("completed", None)

    @pytest.mark.parametrize(("days", "decided"), [(30, "none"), (31, "open")])
    def test_a_completed_task_returns_when_its_record_was_away_for_long(
        self, run: Lifecycle, days: int, decided: str
    ) -> None:
        run.task("completed", gone_at=AS_OF - dt.timedelta(days=days)).candidate()
        assert run.decide() == {DECIDED: decided}

    def test_a_held_question_brings_nothing_back(self, run: Lifecycle) -> None:
        run.task("cleared", close_kind="source_gone", is_away=True).candidate()
        assert run.refused("appointments", "cases", "C-A").decide() == {DECIDED: "hold"}


class TestHeldOpenings:
    """What cannot be read opens nothing, as it closes nothing."""

    def test_a_refused_row_of_the_case_opens_nothing(self, run: Lifecycle) -> None:
        run.reads("payments").candidate().refused("payments", "cases", "C-A")
        assert run.decide() == {DECIDED: "hold"}
        assert run.tasks() == run.events() == []
        (held,) = run.held()
        assert (held["subject_id"], held["is_opening"], held["runs"]) == ("V1", True, 1)
        assert (held["patient_id"], held["held_from"]) == ("A", AS_OF)
        ids = run.con.execute("SELECT d.open_task_id FROM decisions AS d").fetchall()
        assert ids == [(None,)]

    def test_an_open_task_is_neither_closed_nor_changed(self, run: Lifecycle) -> None:
        run.task(amount=15).candidate(amount=40, reason="all unpaid")
        run.refused("appointments", "appointments", "V1")
        assert run.decide() == {DECIDED: "hold"}
        (task,) = run.tasks()
        assert (task["amount"], task["reason"]) == (15, "unpaid")
        assert run.events() == []

    def test_a_row_of_another_case_or_of_a_table_the_rule_does_not_read_holds_nothing(
        self, run: Lifecycle
    ) -> None:
        run.reads("payments").reads("claims", is_read=False).candidate()
        run.record("cases", case_id="C-2", patient_id="A", is_discharged=False)
        run.refused("payments", "cases", "C-2").refused("payments", "patients", "A")
        run.refused("claims", "cases", "C-A").refused("faxes", "cases", "C-A")
        assert run.decide() == {DECIDED: "open"}

    @pytest.mark.parametrize(
        ("id_table", "id_value"), [("cases", "C-2"), ("cases", "C-A"), ("patients", "A")]
    )
    def test_a_rule_about_the_patient_is_held_by_any_of_the_patients_cases(
        self, run: Lifecycle, id_table: str, id_value: str
    ) -> None:
        run.rule("p", looks_at="patient").record(
            "cases", case_id="C-2", patient_id="A", is_discharged=False
        )
        run.candidate(rule_id="p").refused("appointments", id_table, id_value)
        assert run.decide()[("p", "V1")] == "hold"

    def test_a_row_of_another_patient_holds_no_rule_about_the_patient(self, run: Lifecycle) -> None:
        run.rule("p", looks_at="patient").record(
            "cases", case_id="C-B", patient_id="B", is_discharged=False
        )
        run.candidate(rule_id="p").refused("appointments", "cases", "C-B")
        run.refused("appointments", "patients", "B")
        assert run.decide() == {("p", "V1"): "open"}

    def test_a_table_that_it_does_not_read_holds_no_rule_about_the_patient(
        self, run: Lifecycle
    ) -> None:
        run.rule("p", looks_at="patient").reads("claims", "p", is_read=False)
        run.candidate(rule_id="p").refused("faxes", "patients", "A").refused(
            "claims", "cases", "C-A"
        )
        assert run.decide() == {("p", "V1"): "open"}

    def test_a_table_that_only_another_rule_reads_holds_none_either(self, run: Lifecycle) -> None:
        run.rule("p", looks_at="patient").reads("faxes")
        run.candidate(rule_id="p").refused("faxes", "patients", "A")
        assert run.decide() == {("p", "V1"): "open"}

    def test_a_row_that_names_no_record_holds_no_opening(self, run: Lifecycle) -> None:
        run.candidate().refused_unnamed("appointments")
        assert run.decide() == {DECIDED: "open"}

    def test_a_task_waits_for_a_target_whose_question_is_open(self, run: Lifecycle) -> None:
        run.rule("next").reads("faxes", "next").converts("r", "next")
        run.task().evidence().candidate(rule_id="next").refused("faxes", "cases", "C-A")
        assert run.decide() == {DECIDED: "hold", ("next", "V1"): "hold"}

    def test_it_counts_the_runs_in_a_row(self, run: Lifecycle) -> None:
        earlier = AS_OF - dt.timedelta(days=4)
        run.insert("held_before", rule_id="r", subject_id="V1", runs=4, held_from=earlier)
        run.candidate().refused("appointments", "cases", "C-A")
        (held,) = run.held()
        assert (held["runs"], held["held_from"]) == (5, earlier)

    def test_those_of_another_question_do_not_count(self, run: Lifecycle) -> None:
        run.insert("held_before", rule_id="r", subject_id="V2", runs=4, held_from=AS_OF)
        run.insert("held_before", rule_id="q", subject_id="V1", runs=4, held_from=AS_OF)
        run.rule("q").candidate().candidate("V2").refused("appointments", "appointments", "V1")
        (held,) = run.held()
        assert (held["subject_id"], held["runs"]) == ("V1", 1)

    def test_a_closed_task_does_not_wait_for_the_answer(self, run: Lifecycle) -> None:
        run.task("completed", is_away=True).candidate().refused("appointments", "cases", "C-A")
        assert [held["is_opening"] for held in run.held()] == [True]


class TestUnseen:
    """Subjects that a rule cannot answer, since a table does not reach back far enough."""

    @pytest.mark.parametrize(("state", "decision"), [("open", "hold"), ("completed", "none")])
    def test_they_stay_as_they_are(self, run: Lifecycle, state: str, decision: str) -> None:
        run.task(state).insert("unseen", rule_id="r", subject_id="V1")
        assert run.decide() == {DECIDED: decision}
        assert [(task["state"], task["is_away"]) for task in run.tasks()] == [(state, False)]

    def test_they_are_kept_apart_from_those_of_refused_rows(self, run: Lifecycle) -> None:
        run.task().task(subject="V2").visit("V2").insert("unseen", rule_id="r", subject_id="V1")
        run.refused("appointments", "appointments", "V2")
        assert [(held["subject_id"], held["is_unseen"]) for held in run.held()] == [
            ("V1", True),
            ("V2", False),
        ]

    def test_those_of_another_rule_are_answered(self, run: Lifecycle) -> None:
        run.task().insert("unseen", rule_id="m", subject_id="V1")
        assert run.decide() == {DECIDED: "withdrawn"}

    @pytest.mark.parametrize(
        ("record_on", "decision"),
        [(dt.date(2026, 10, 29), "hold"), (dt.date(2026, 10, 30), "source_gone"), (None, "hold")],
        ids=["before the first day", "on it", "of no known day"],
    )
    def test_a_record_from_before_the_first_day_is_not_gone(
        self, run: Lifecycle, record_on: dt.date | None, decision: str
    ) -> None:
        run.insert("first_days", table_name="appointments", since_on=dt.date(2026, 10, 30))
        run.task(subject="GONE", record_on=record_on)
        assert run.decide() == {("r", "GONE"): decision}

    def test_the_first_day_of_another_table_does_not_count(self, run: Lifecycle) -> None:
        run.insert("first_days", table_name="payments", since_on=dt.date(2026, 11, 30))
        run.task(subject="GONE").task(subject="V1")
        assert run.decide() == {("r", "GONE"): "source_gone", DECIDED: "withdrawn"}

    def test_a_record_that_is_there_is_answered(self, run: Lifecycle) -> None:
        run.insert("first_days", table_name="appointments", since_on=dt.date(2026, 11, 30))
        assert run.task().decide() == {DECIDED: "withdrawn"}

    def test_an_earlier_occurrence_holds_nothing(self, run: Lifecycle) -> None:
        run.insert("first_days", table_name="appointments", since_on=dt.date(2026, 11, 30))
        run.task("cleared", is_latest=False).task(occurrence=2)
        run.con.execute("DELETE FROM staging.appointments")
        assert run.decide() == {DECIDED: "hold"}
