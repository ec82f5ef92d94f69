"""What tasks and events record of a change: owner, payer, links, deferral, on hand-made tables."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.unit.lifecycle.conftest import AS_OF, Lifecycle

LATER = AS_OF + dt.timedelta(days=3)


def events_of(run: Lifecycle, event: str) -> list[dict]:
    return [row for row in run.events() if row["event"] == event]


class TestOwners:
    @pytest.mark.parametrize(
        ("before", "now", "is_changed"),
        [(None, "S3", True), ("S3", None, True), (None, None, False), ("S3", "S3", False)],
    )
    def test_the_record_may_gain_or_lose_its_owner(
        self, run: Lifecycle, before: str | None, now: str | None, is_changed: bool
    ) -> None:
        run.task(rule_staff_id=before, assigned_to_id="S1").candidate(staff_id=now)
        (task,) = run.tasks()
        assert (task["rule_staff_id"], task["assigned_to_id"]) == (
            now,
            None if is_changed else "S1",
        )
        changed = events_of(run, "owner_changed")
        assert [event["to_staff_id"] for event in changed] == [now] * is_changed
        assert {event["reason"] for event in changed} <= {"The record's owner changed in the EMR."}

    def test_it_may_change_while_the_record_was_away(self, run: Lifecycle) -> None:
        run.task("cleared", close_kind="source_gone", is_away=True, rule_staff_id="S2")
        run.candidate(staff_id="S3")
        back, changed = run.events()
        assert (back["event"], changed["event"]) == ("came_back", "owner_changed")
        assert back["reason"] == "the record is in the appointments extract again"

    def test_a_new_task_and_one_that_nobody_asks_for_have_no_change(self, run: Lifecycle) -> None:
        run.visit("V2").candidate("V2", staff_id="S3").task("completed", rule_staff_id="S2")
        assert [event["event"] for event in run.events()] == ["opened"]


class TestPayers:
    @pytest.mark.parametrize(
        ("has_payers", "payer", "events"),
        [
            (True, "PAY2", [("updated", "PAY2")]),
            (True, None, [("updated", "self-pay")]),
            (True, "PAY1", []),
            (False, "PAY2", []),
        ],
    )
    def test_a_new_payer_is_an_event_while_payers_are_known(
        self, run: Lifecycle, has_payers: bool, payer: str | None, events: list
    ) -> None:
        run.task(payer_id="PAY1").candidate(payer_id=payer)
        (task,) = run.tasks(has_payers=has_payers)
        assert task["payer_id"] == (payer if has_payers else "PAY1")
        told = [(row["event"], row["payer_id"]) for row in run.events(has_payers=has_payers)]
        assert told == events

    def test_without_payers_an_update_names_the_payer_it_has(self, run: Lifecycle) -> None:
        run.task(payer_id="PAY1").candidate(payer_id="PAY2", amount=25)
        (event,) = run.events(has_payers=False)
        assert (event["event"], event["payer_id"], event["amount"]) == ("updated", "PAY1", 25)

    @pytest.mark.parametrize(("payer", "says"), [("PAY1", "PAY1"), (None, "self-pay")])
    def test_an_opening_names_its_payer(self, run: Lifecycle, payer: str | None, says: str) -> None:
        (event,) = run.candidate(payer_id=payer).events()
        assert (event["event"], event["payer_id"]) == ("opened", says)


class TestUpdates:
    @pytest.mark.parametrize(
        "change",
        [
            {"reason": "all unpaid"},
            {"amount": 25},
            {"amount": None},
            {"since": dt.date(2026, 11, 1)},
            {"facility_id": "F2"},
            {"case_id": "C-B"},
        ],
        ids=["reason", "amount", "no amount", "since", "facility", "case"],
    )
    def test_one_changed_value_is_enough(self, run: Lifecycle, change: dict) -> None:
        run.task(amount=40).candidate(**{"amount": 40} | change)
        (event,) = run.events()
        assert (event["event"], event["since_is_inferred"]) == ("updated", False)

    def test_the_events_of_a_run_are_in_the_order_of_their_tasks_and_kinds(
        self, run: Lifecycle
    ) -> None:
        run.visit("V2").task(rule_staff_id="S2", amount=40).task(subject="V2", amount=40)
        run.candidate(staff_id="S3", amount=25).candidate("V2", amount=25)
        told = [(row["event_no"], row["task_id"], row["event"]) for row in run.events()]
        assert told == [
            (11, "r-V1-1", "owner_changed"),
            (12, "r-V1-1", "updated"),
            (13, "r-V2-1", "updated"),
        ]

    def test_tasks_that_go_on_as_one_follow_each_other_by_their_ids(self, run: Lifecycle) -> None:
        sources = ["q5", "q2", "q7", "q1", "q6", "q3", "q4"]
        for source in sources:
            run.rule(source).converts(source, "r").task(rule_id=source)
        told = [(e["event"], e["linked_task_id"]) for e in run.candidate().events()]
        first, *others = [row for row in told if row[0] in ("opened", "converted_from")]
        assert first == ("opened", None)
        assert others == [("converted_from", f"{source}-V1-1") for source in sorted(sources)]

    def test_what_came_back_goes_before_what_happened_to_it(self, run: Lifecycle) -> None:
        gone = {"close_kind": "source_gone", "is_away": True, "patient_id": "B"}
        run.task("cleared", rule_staff_id="S2", **gone).candidate(staff_id="S3", amount=25)
        assert [event["event"] for event in run.events()] == [
            "came_back",
            "patient_changed",
            "owner_changed",
            "updated",
        ]

    def test_a_task_of_a_moved_record_is_withdrawn_first(self, run: Lifecycle) -> None:
        run.task(patient_id="B")
        told = [event["event"] for event in run.events()]
        assert told == ["withdrawn", "patient_changed"]

    def test_one_that_comes_back_names_what_goes_on_in_it_first(self, run: Lifecycle) -> None:
        run.rule("q").converts("q", "r").task(rule_id="q").candidate()
        run.task("cleared", close_kind="source_gone", is_away=True)
        target = next(e["task_id"] for e in run.events() if e["event"] == "converted_from")
        run.con.execute("UPDATE tasks_with_actions SET task_id = ? WHERE rule_id = 'r'", [target])
        told = [event["event"] for event in run.events() if event["task_id"] == target]
        assert told == ["converted_from", "came_back"]

    def test_each_opened_task_has_its_own_candidate(self, run: Lifecycle) -> None:
        run.rule("q").visit("V2").candidate(amount=40).candidate("V2", amount=25)
        run.candidate(rule_id="q", amount=10)
        told = [(task["rule_id"], task["subject_id"], task["amount"]) for task in run.tasks()]
        assert told == [("q", "V1", 10), ("r", "V1", 40), ("r", "V2", 25)]
        assert sorted(event["amount"] for event in run.events()) == [10, 25, 40]


class TestLinks:
    def test_a_chain_keeps_where_each_task_came_from(self, run: Lifecycle) -> None:
        run.rule("first").rule("last").converts("r", "first").converts("first", "last")
        run.task("cleared", close_kind="converted", converted_to="first-V1-1")
        run.task(rule_id="first", converted_from="r-V1-1").candidate(rule_id="last")
        chain = {
            task["rule_id"]: (task["converted_from"], task["converted_to"]) for task in run.tasks()
        }
        last = chain["first"][1]
        assert chain == {
            "r": (None, "first-V1-1"),
            "first": ("r-V1-1", last),
            "last": ("first-V1-1", None),
        }
        assert [row["task_id"] for row in events_of(run, "converted_from")] == [last]

    def test_of_two_that_go_on_as_one_task_the_first_is_named(self, run: Lifecycle) -> None:
        run.rule("q").rule("next").converts("r", "next").converts("q", "next")
        run.task().task(rule_id="q").candidate(rule_id="next")
        (new,) = (task for task in run.tasks() if task["rule_id"] == "next")
        assert new["converted_from"] == "q-V1-1"
        assert len(events_of(run, "converted_from")) == 2

    def test_one_that_is_open_already_names_the_first_that_goes_on_in_it(
        self, run: Lifecycle
    ) -> None:
        run.rule("q").rule("next").converts("r", "next").converts("q", "next")
        run.task().task(rule_id="q").task(rule_id="next").candidate(rule_id="next")
        (target,) = {event["task_id"] for event in events_of(run, "converted_from")}
        run.con.execute(
            "UPDATE tasks_with_actions SET task_id = ? WHERE rule_id = 'next'", [target]
        )
        (taken,) = (task for task in run.tasks() if task["rule_id"] == "next")
        assert (taken["task_id"], taken["converted_from"]) == (target, "q-V1-1")

    def test_a_conversion_says_why_and_names_the_record(self, run: Lifecycle) -> None:
        run.rule("next").converts("r", "next").task().candidate(rule_id="next").evidence()
        for event in ("converted", "converted_from"):
            (row,) = events_of(run, event)
            assert (row["reason"], row["record_id"], row["amount"]) == ("$40.00 paid", "P1", 40)


class TestDeferrals:
    @pytest.mark.parametrize(
        ("is_gone", "deferred_until"), [(True, LATER), (False, None)], ids=["gone", "cleared"]
    )
    def test_only_a_record_that_may_come_back_keeps_it(
        self, run: Lifecycle, is_gone: bool, deferred_until: dt.datetime | None
    ) -> None:
        run.task(deferred_until=LATER).evidence()
        if is_gone:
            run.con.execute("DELETE FROM staging.appointments")
        (task,) = run.tasks()
        assert task["state"] == "cleared"
        assert task["deferred_until"] == deferred_until

    def test_a_refreshed_task_keeps_it(self, run: Lifecycle) -> None:
        (task,) = run.task(deferred_until=LATER).candidate().tasks()
        assert task["deferred_until"] == LATER


class TestRefreshing:
    def test_every_value_of_the_record_is_taken_over(self, run: Lifecycle) -> None:
        new = {"case_id": "C-B", "facility_id": "F2", "reason": "partly paid", "amount": 25}
        new |= {"manual": "override", "episode": "2", "payer_id": "PAY2", "staff_id": "S3"}
        (task,) = run.task(amount=40, episode="1").candidate(**new).tasks()
        staff = new.pop("staff_id")
        assert {name: task[name] for name in new} == new
        assert task["rule_staff_id"] == staff

    def test_a_task_that_nobody_asks_for_keeps_what_it_has(self, run: Lifecycle) -> None:
        old = {"facility_id": "F1", "reason": "unpaid", "amount": 40, "manual": "override"}
        old |= {"episode": "1", "payer_id": "PAY1", "rule_staff_id": "S2"}
        (task,) = run.task("completed", **old).tasks()
        assert {name: task[name] for name in old} == old

    def test_an_opened_task_has_its_record_s_day(self, run: Lifecycle) -> None:
        (task,) = run.candidate(since=dt.date(2026, 11, 1)).tasks()
        assert (task["record_on"], task["since"]) == (dt.date(2026, 10, 30), dt.date(2026, 11, 1))
        assert (task["deferred_until"], task["closed_at"], task["gone_at"]) == (None, None, None)
        assert (task["is_away"], task["last_seq"], task["manual"]) == (False, 0, "allowed")

    def test_without_its_record_it_opens_all_the_same(self, run: Lifecycle) -> None:
        (task,) = run.candidate("V9").tasks()
        assert (task["subject_id"], task["state"], task["record_on"]) == ("V9", "open", None)

    def test_a_record_that_lost_its_day_keeps_the_one_known(self, run: Lifecycle) -> None:
        (task,) = run.visit(visit_on=None).task().candidate().tasks()
        assert task["record_on"] == dt.date(2026, 10, 30)


class TestGoneAt:
    """Since when the record of a task is away, until somebody has looked at it again."""

    GONE = AS_OF - dt.timedelta(days=2)

    def test_it_stays_the_first_day(self, run: Lifecycle) -> None:
        run.con.execute("DELETE FROM staging.appointments")
        (task,) = run.task("completed", gone_at=self.GONE).tasks()
        assert task["gone_at"] == self.GONE

    def test_a_held_question_leaves_it(self, run: Lifecycle) -> None:
        run.task("completed", gone_at=self.GONE).candidate()
        run.refused("appointments", "cases", "C-A")
        assert [task["gone_at"] for task in run.tasks()] == [self.GONE]

    @pytest.mark.parametrize("state", ["open", "completed", "cleared"])
    def test_a_missing_record_that_may_be_the_refused_one_is_not_gone(
        self, run: Lifecycle, state: str
    ) -> None:
        run.con.execute("DELETE FROM staging.appointments")
        run.task(state).refused_unnamed("appointments")
        assert [(task["gone_at"], task["is_away"]) for task in run.tasks()] == [(None, False)]

    def test_nor_is_one_whose_case_was_discharged(self, run: Lifecycle) -> None:
        run.con.execute("DELETE FROM staging.appointments")
        run.rule("ends", ends_at_discharge=True).refused_unnamed("appointments")
        run.record("cases", case_id="C-A", patient_id="A", is_discharged=True)
        (task,) = run.task(rule_id="ends").tasks()
        assert (task["close_kind"], task["gone_at"]) == ("discharged", None)


def test_a_task_that_somebody_acted_on_before_an_undone_run_opens_at_that_moment(
    run: Lifecycle,
) -> None:
    """Its conversion happens now, and so does the opening of another task."""
    run.rule("next").converts("r", "next").task().candidate(rule_id="next")
    run.visit("V2").candidate("V2", rule_id="next")
    opened = {task["subject_id"]: task for task in run.tasks() if task["rule_id"] == "next"}
    acted_at = AS_OF - dt.timedelta(hours=5)
    run.insert("acted_before", task_id=opened["V1"]["task_id"], acted_at=acted_at)
    assert {(event["task_id"], event["event"]): event["happened_at"] for event in run.events()} == {
        (opened["V1"]["task_id"], "opened"): acted_at,
        (opened["V1"]["task_id"], "converted_from"): AS_OF,
        ("r-V1-1", "converted"): AS_OF,
        (opened["V2"]["task_id"], "opened"): AS_OF,
    }
    tasks = {task["task_id"]: task["opened_at"] for task in run.tasks()}
    assert tasks[opened["V1"]["task_id"]] == acted_at
    assert tasks[opened["V2"]["task_id"]] == AS_OF
