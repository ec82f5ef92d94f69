"""Every row of the lifecycle table, decided on hand-made tables."""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines.rules import loading
from tests.unit.lifecycle.conftest import AS_OF, Lifecycle

RULES = loading.load_rules()
DECIDED = ("r", "V1")


class TestOpening:
    def test_a_candidate_opens_its_first_occurrence(self, run: Lifecycle) -> None:
        run.candidate(amount=40, staff_id="S1")
        (task,) = run.tasks()
        assert (task["occurrence"], task["state"], task["is_latest"]) == (1, "open", True)
        assert (task["opened_at"], task["since"]) == (AS_OF, dt.date(2026, 10, 30))
        assert (task["amount"], task["rule_staff_id"], task["previous_task_id"]) == (40, "S1", None)
        (event,) = run.events()
        assert (event["event"], event["event_no"], event["happened_at"]) == ("opened", 11, AS_OF)
        assert (event["task_id"], event["linked_task_id"]) == (task["task_id"], None)

    @pytest.mark.parametrize("status", ["Inactive", "Referral"])
    def test_a_patient_who_is_not_active_gets_none(self, run: Lifecycle, status: str) -> None:
        run.candidate().record("patients", patient_id="A", status=status)
        assert run.decide() == {DECIDED: "none"}
        assert run.tasks() == run.events() == []

    def test_an_unknown_patient_gets_none(self, run: Lifecycle) -> None:
        assert run.candidate(patient_id="B").decide() == {DECIDED: "none"}

    def test_it_opens_once_the_patient_is_active_again(self, run: Lifecycle) -> None:
        run.candidate().record("patients", patient_id="A", status="Referral")
        assert run.decide() == {DECIDED: "none"}
        run.record("patients", patient_id="A", status="Active")
        assert run.decide() == {DECIDED: "open"}

    @pytest.mark.parametrize(
        ("status", "decision"), [("Active", "none"), ("Referral", "open"), ("Inactive", "open")]
    )
    def test_a_rule_says_for_which_patients_it_opens(
        self, run: Lifecycle, status: str, decision: str
    ) -> None:
        run.rule("own", patients=("Referral", "Inactive")).candidate(rule_id="own")
        run.record("patients", patient_id="A", status=status)
        assert run.decide() == {("own", "V1"): decision}

    def test_nothing_opens_on_a_discharged_case(self, run: Lifecycle) -> None:
        run.rule("ends", ends_at_discharge=True).candidate().candidate(rule_id="ends")
        run.record("cases", case_id="C-A", patient_id="A", is_discharged=True)
        assert run.decide() == {DECIDED: "open", ("ends", "V1"): "none"}


class TestOpenTasks:
    def test_a_task_that_is_still_asked_for_is_refreshed(self, run: Lifecycle) -> None:
        run.task(amount=40).candidate(
            case_id="C-B", facility_id="F2", amount=25, reason="partly paid", episode="2"
        )
        (task,) = run.tasks()
        assert task["state"] == "open"
        assert (task["case_id"], task["facility_id"]) == ("C-B", "F2")
        assert (task["amount"], task["reason"], task["episode"]) == (25, "partly paid", "2")
        assert task["opened_at"] == AS_OF - dt.timedelta(days=1)
        assert [(event["event"], event["reason"]) for event in run.events()] == [
            ("updated", "partly paid")
        ]

    def test_an_unchanged_task_leaves_no_event(self, run: Lifecycle) -> None:
        run.task().candidate()
        assert run.decide() == {DECIDED: "refresh"}
        assert run.events() == []

    @pytest.mark.parametrize("status", ["Active", "Inactive"])
    def test_the_patients_status_neither_closes_nor_keeps_it(
        self, run: Lifecycle, status: str
    ) -> None:
        run.record("patients", patient_id="A", status=status).visit("V2")
        run.task().candidate().task(subject="V2").evidence("r-V2-1")
        assert run.decide() == {DECIDED: "refresh", ("r", "V2"): "cleared"}

    def test_an_auto_rule_clears_it_with_its_evidence(self, run: Lifecycle) -> None:
        run.task(deferred_until=AS_OF + dt.timedelta(days=3)).evidence()
        (task,) = run.tasks()
        assert (task["state"], task["close_kind"], task["closed_by"]) == (
            "cleared",
            "cleared",
            "system",
        )
        assert (task["closed_at"], task["deferred_until"], task["is_away"]) == (AS_OF, None, True)
        (event,) = run.events()
        assert (event["event"], event["reason"]) == ("cleared", "$40.00 paid")
        assert (event["record_table"], event["record_id"], event["amount"]) == (
            "payments",
            "P1",
            40,
        )

    def test_without_work_it_is_withdrawn_with_what_changed(self, run: Lifecycle) -> None:
        run.task().evidence(is_work=False, record_table="appointments", record_id="V1", amount=None)
        run.con.execute("UPDATE evidence SET says = 'the visit was cancelled'")
        (task,) = run.tasks()
        assert (task["state"], task["close_kind"], task["closed_by"], task["is_away"]) == (
            "cleared",
            "withdrawn",
            "system",
            True,
        )
        (event,) = run.events()
        assert (event["event"], event["reason"]) == ("withdrawn", "the visit was cancelled")
        assert (event["record_table"], event["record_id"]) == ("appointments", "V1")

    def test_without_evidence_the_engine_says_what_changed(self, run: Lifecycle) -> None:
        run.visit("V2").task(payer_id="PAY1").task(subject="V2", payer_id="PAY2")
        assert set(run.decide().values()) == {"withdrawn"}
        said = [event["reason"] for event in run.events()]
        assert said == ["nothing asks for it any more"] * 2
        run.insert("rule_changes", rule_id="r", says="days_ahead 14 → 7")
        run.insert("rule_changes", rule_id="r", payer_id="PAY2")  # its own parameters did not
        said = [event["reason"] for event in run.events()]
        assert said == ["days_ahead 14 → 7", "nothing asks for it any more"]

    def test_a_rule_that_cannot_explain_closes_nothing(self, run: Lifecycle) -> None:
        run.task().evidence().insert("unexplained_rules", rule_id="r")
        assert run.decide() == {DECIDED: "hold"}
        assert run.events() == []

    def test_a_manual_rule_waits_for_a_person(self, run: Lifecycle) -> None:
        run.rule("m", clears="manual").task(rule_id="m")
        assert run.decide() == {("m", "V1"): "none"}
        (task,) = run.tasks()
        assert (task["state"], task["is_away"]) == ("open", False)
        for rule_id in ("benefit_verification_required", "mips", "failed_fax"):
            assert RULES[rule_id].clears == "manual"

    def test_an_assignment_stays_until_the_record_has_a_new_owner(self, run: Lifecycle) -> None:
        run.visit("V2").task(rule_staff_id="S2", assigned_to_id="S1").candidate(staff_id="S2")
        run.task(subject="V2", rule_staff_id="S2", assigned_to_id="S1")
        run.candidate("V2", staff_id="S3")
        kept, taken = run.tasks()
        assert (kept["rule_staff_id"], kept["assigned_to_id"]) == ("S2", "S1")
        assert (taken["rule_staff_id"], taken["assigned_to_id"]) == ("S3", None)
        (event,) = run.events()
        assert (event["task_id"], event["event"]) == (taken["task_id"], "owner_changed")
        assert event["to_staff_id"] == "S3"


class TestClosedTasks:
    def test_a_completed_task_stays_completed_while_its_condition_persists(
        self, run: Lifecycle
    ) -> None:
        run.task("completed").candidate()
        assert run.decide() == {DECIDED: "none"}
        assert [task["state"] for task in run.tasks()] == ["completed"]

    def test_its_condition_going_away_is_remembered(self, run: Lifecycle) -> None:
        run.task("completed")
        assert run.decide() == {DECIDED: "away"}
        assert [(task["state"], task["is_away"]) for task in run.tasks()] == [("completed", True)]
        assert run.events() == []

    @pytest.mark.parametrize("state", ["completed", "cleared"])
    def test_a_condition_that_returns_opens_the_next_occurrence(
        self, run: Lifecycle, state: str
    ) -> None:
        run.task(state, is_away=True).candidate()
        old, new = run.tasks()
        assert (old["state"], old["is_latest"]) == (state, False)
        assert (new["state"], new["occurrence"], new["is_latest"]) == ("open", 2, True)
        assert new["previous_task_id"] == old["task_id"]
        (event,) = run.events()
        assert (event["event"], event["linked_task_id"]) == ("opened", old["task_id"])

    @pytest.mark.parametrize("status", ["Inactive", "Active"])
    def test_a_patient_going_inactive_is_not_the_condition_going_away(
        self, run: Lifecycle, status: str
    ) -> None:
        run.task("completed").candidate().record("patients", patient_id="A", status=status)
        assert run.decide() == {DECIDED: "none"}
        assert [task["is_away"] for task in run.tasks()] == [False]

    def test_only_the_latest_occurrence_counts(self, run: Lifecycle) -> None:
        run.task("cleared", is_latest=False, is_away=True).task("completed", occurrence=2)
        assert run.candidate().decide() == {DECIDED: "none"}

    def test_a_new_episode_is_a_new_condition_after_a_completion_only(self, run: Lifecycle) -> None:
        run.visit("V2").visit("V3")
        run.task("completed", episode="2026-10-31").candidate(episode="2026-11-03")
        run.task("completed", "V2", episode="2026-10-31").candidate("V2", episode="2026-10-31")
        run.task("cleared", "V3", episode="2026-10-31").candidate("V3", episode="2026-11-03")
        assert run.decide() == {DECIDED: "open", ("r", "V2"): "none", ("r", "V3"): "none"}


class TestPeriods:
    """A task completed on Tuesday 3 November 2026, when its facility says it is `today`."""

    def completed(self, run: Lifecycle, period: str, today: str) -> Lifecycle:
        day = dt.date.fromisoformat(today)
        run.record(
            "facilities",
            facility_id="F1",
            time_zone="America/New_York",
            today=day,
            week_on=day - dt.timedelta(days=day.weekday()),
            month_on=day.replace(day=1),
        )
        run.rule("p", clears="manual", period=period).candidate(rule_id="p")
        return run.task("completed", rule_id="p", closed_at=AS_OF)

    @pytest.mark.parametrize(
        ("period", "today", "decision"),
        [
            ("week", "2026-11-08", "none"),  # Sunday
            ("week", "2026-11-09", "open"),  # Monday
            ("month", "2026-11-30", "none"),
            ("month", "2026-12-01", "open"),
        ],
    )
    def test_it_returns_with_the_next_period_and_not_before(
        self, run: Lifecycle, period: str, today: str, decision: str
    ) -> None:
        assert self.completed(run, period, today).decide() == {("p", "V1"): decision}

    def test_the_period_is_that_of_the_facilitys_days(self, run: Lifecycle) -> None:
        self.completed(run, "week", "2026-11-09")
        monday = dt.datetime(2026, 11, 9, 4, 59, tzinfo=dt.UTC)  # still Sunday in New York
        run.con.execute("UPDATE tasks_with_actions SET closed_at = ?", [monday])
        assert run.decide() == {("p", "V1"): "open"}
        run.con.execute("UPDATE tasks_with_actions SET closed_at = closed_at + INTERVAL 1 MINUTE")
        assert run.decide() == {("p", "V1"): "none"}

    def test_an_open_task_is_not_doubled(self, run: Lifecycle) -> None:
        run.rule("p", clears="manual", period="week").candidate(rule_id="p")
        run.task(rule_id="p", opened_at=AS_OF - dt.timedelta(days=14))
        assert run.decide() == {("p", "V1"): "refresh"}

    def test_the_rules_with_a_period(self) -> None:
        assert {rule_id: rule.period for rule_id, rule in RULES.items() if rule.period} == {
            "mips": "week",
            "unscheduled_patient": "month",
        }


class TestConversion:
    @pytest.fixture
    def chain(self, run: Lifecycle) -> Lifecycle:
        """Rule `r` converts to `first`, else to `second`; its task is open."""
        run.rule("first").rule("second", clears="manual")
        return run.converts("r", "first", "second").task()

    def test_a_task_becomes_the_targets_task_linked_both_ways(self, chain: Lifecycle) -> None:
        chain.candidate(rule_id="first")
        new, old = chain.tasks()
        assert (old["state"], old["close_kind"], old["converted_to"]) == (
            "cleared",
            "converted",
            new["task_id"],
        )
        assert (new["rule_id"], new["state"], new["converted_from"]) == (
            "first",
            "open",
            old["task_id"],
        )
        links = {(e["task_id"], e["event"], e["linked_task_id"]) for e in chain.events()}
        assert links == {
            (new["task_id"], "opened", None),
            (new["task_id"], "converted_from", old["task_id"]),
            (old["task_id"], "converted", new["task_id"]),
        }

    def test_the_first_target_that_asks_is_taken(self, chain: Lifecycle) -> None:
        chain.candidate(rule_id="second")
        assert [task["converted_from"] for task in chain.tasks()] == [None, "r-V1-1"]
        chain.candidate(rule_id="first")
        assert [task["converted_from"] for task in chain.tasks()] == ["r-V1-1", None, None]

    def test_a_target_that_is_open_already_is_taken(self, chain: Lifecycle) -> None:
        chain.task(rule_id="second").candidate(rule_id="second")
        assert chain.decide() == {DECIDED: "converted", ("second", "V1"): "refresh"}

    def test_a_converted_task_returns_as_the_next_occurrence(self, run: Lifecycle) -> None:
        run.rule("m", clears="manual").converts("r", "m")
        run.task("cleared", close_kind="converted", is_away=True).task(rule_id="m")
        assert run.candidate().decide() == {DECIDED: "open", ("m", "V1"): "none"}

    def test_no_task_opens_for_an_inactive_patient_by_conversion_either(
        self, chain: Lifecycle
    ) -> None:
        chain.candidate(rule_id="first").record("patients", patient_id="A", status="Inactive")
        assert chain.decide() == {DECIDED: "withdrawn", ("first", "V1"): "none"}
        chain.record("patients", patient_id="A", status="Active")
        chain.con.execute("UPDATE tasks_with_actions SET state = 'cleared', is_away = TRUE")
        assert chain.decide() == {DECIDED: "none", ("first", "V1"): "open"}

    def test_a_target_that_did_not_answer_is_waited_for(self, chain: Lifecycle) -> None:
        chain.con.execute("UPDATE rules SET is_answered = FALSE WHERE rule_id = 'first'")
        assert chain.decide() == {DECIDED: "hold"}
        chain.candidate(rule_id="second")
        assert chain.decide() == {DECIDED: "converted", ("second", "V1"): "open"}

    def test_one_that_cannot_be_explained_is_waited_for_too(self, chain: Lifecycle) -> None:
        chain.candidate(rule_id="first").insert("unexplained_rules", rule_id="r")
        assert chain.decide() == {DECIDED: "hold", ("first", "V1"): "open"}

    def test_the_fax_rules_convert_into_each_other(self) -> None:
        assert RULES["faxing_required"].converts_to == ("pending_signature", "failed_fax")
        assert "failed_fax" in RULES["pending_signature"].converts_to


class TestDischarge:
    @pytest.fixture
    def discharged(self, run: Lifecycle) -> Lifecycle:
        """Case C-A is discharged; rule `ends` ends at discharge, rule `r` does not."""
        run.rule("ends", ends_at_discharge=True)
        return run.record("cases", case_id="C-A", patient_id="A", is_discharged=True)

    @pytest.mark.parametrize("is_asked", [True, False])
    def test_discharge_ends_the_tasks_of_the_case_and_keeps_the_others(
        self, discharged: Lifecycle, is_asked: bool
    ) -> None:
        discharged.task(rule_id="ends").task().candidate()
        if is_asked:
            discharged.candidate(rule_id="ends")
        assert discharged.decide() == {DECIDED: "refresh", ("ends", "V1"): "discharged"}
        assert [event["reason"] for event in discharged.events()] == ["The case was discharged."]

    def test_it_does_not_open_again_on_a_discharged_case(self, discharged: Lifecycle) -> None:
        discharged.task("cleared", rule_id="ends", is_away=True).candidate(rule_id="ends")
        assert discharged.decide() == {("ends", "V1"): "none"}

    def test_a_task_without_a_case_ends_with_the_patients_last_case(
        self, discharged: Lifecycle
    ) -> None:
        discharged.task(rule_id="ends", case_id=None).candidate(rule_id="ends", case_id=None)
        assert discharged.decide() == {("ends", "V1"): "discharged"}
        discharged.record("cases", case_id="C-B", patient_id="A", is_discharged=False)
        assert discharged.decide() == {("ends", "V1"): "refresh"}

    def test_another_patients_discharge_is_none_of_its_patient(self, discharged: Lifecycle) -> None:
        discharged.record("cases", case_id="C-B", patient_id="B", is_discharged=False)
        discharged.task(rule_id="ends", case_id=None, patient_id="B")
        discharged.candidate(rule_id="ends", case_id=None, patient_id="B")
        assert discharged.decide() == {("ends", "V1"): "refresh"}

    def test_a_refused_case_may_be_the_open_one(self, discharged: Lifecycle) -> None:
        discharged.task(rule_id="ends", case_id=None).candidate(rule_id="ends", case_id=None)
        discharged.refused("cases", "patients", "A")
        assert discharged.decide() == {("ends", "V1"): "refresh"}
        discharged.con.execute("DELETE FROM refused_ids")
        discharged.refused_unnamed("cases")
        assert discharged.decide() == {("ends", "V1"): "refresh"}

    @pytest.mark.parametrize(
        ("table", "id_table", "id_value"),
        [("cases", "patients", "B"), ("policies", "patients", "A"), ("cases", "policies", "A")],
    )
    def test_another_refused_row_is_no_open_case(
        self, discharged: Lifecycle, table: str, id_table: str, id_value: str
    ) -> None:
        discharged.task(rule_id="ends", case_id=None).candidate(rule_id="ends", case_id=None)
        discharged.refused(table, id_table, id_value).refused_unnamed("policies")
        assert discharged.decide() == {("ends", "V1"): "discharged"}

    def test_it_says_on_which_day(self, discharged: Lifecycle) -> None:
        day = dt.date(2026, 11, 2)
        discharged.record(
            "cases", case_id="C-A", patient_id="A", is_discharged=True, discharged_on=day
        )
        discharged.visit("V2").task(rule_id="ends").task(rule_id="ends", subject="V2", case_id=None)
        told = [
            (event["reason"], event["record_table"], event["record_id"])
            for event in discharged.events()
        ]
        assert told == [
            ("The case was discharged on 2026-11-02.", "cases", "C-A"),
            ("Every case of the patient is discharged.", None, None),
        ]
