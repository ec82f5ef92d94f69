"""Authorizations, holds and verifications followed over several nights.

Day n is 06:00 in New York on 1 November 2026 plus n days (Workbench.day).
"""

from __future__ import annotations

import pytest

from tests.conftest import Workbench
from tests.practice import Practice

EXPIRING, LIMIT = "authorization_expiring", "authorization_limit"


@pytest.fixture
def authorized(practice: Practice) -> Practice:
    """AU1 of patient A ends on 10 November and is for 10 visits, of which the EMR counts 7."""
    practice.patient("A").add("policies", "PO1", patient_id="A", authorization_required="true")
    practice.visit("V1", "A", "2026-10-20T09:00:00")
    return practice.add(
        "authorizations",
        "AU1",
        policy_id="PO1",
        case_id="C-A",
        number="A-1",
        starts_on="2026-10-01",
        ends_on="2026-11-10",
        visit_limit="10",
        visits_used="7",
    )


@pytest.fixture
def lasting(authorized: Practice) -> Practice:
    """AU1 lasts to the end of the year."""
    return authorized.add("authorizations", "AU1", ends_on="2026-12-31")


def ends(workbench: Workbench, day: float, rule_id: str, subject_id: str) -> tuple[str, str, str]:
    """How the first task ended: its kind, the record named and what the history says."""
    task = workbench.one(day, rule_id, subject_id)
    last = next(
        event
        for event in workbench.history(task["patient_id"], day)
        if event["task_id"] == task["task_id"] and event["event"] == task["close_kind"]
    )
    return task["close_kind"], last["record_id"], last["reason"]


class TestPolicies:
    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"ends_on": "2026-11-02"}, "policy PO1 ended on 2026-11-02"),
            (
                {"authorization_required": "false"},
                "policy PO1 requires no authorization any more",
            ),
        ],
    )
    def test_one_that_ended_or_requires_none_withdraws_the_task(
        self, workbench: Workbench, authorized: Practice, change: dict[str, str], says: str
    ) -> None:
        workbench.run(authorized, 1)
        assert workbench.states(1, EXPIRING) == {("AU1", 1): "pending"}
        workbench.run(authorized.add("policies", "PO1", **change), 2)
        assert ends(workbench, 2, EXPIRING, "AU1") == ("withdrawn", "PO1", says)

    def test_one_that_ends_by_its_own_day_withdraws_the_task_the_day_after(
        self, workbench: Workbench, authorized: Practice
    ) -> None:
        authorized.add("policies", "PO1", ends_on="2026-11-03")
        for day in (1, 2, 3):
            workbench.run(authorized, day)
        assert workbench.states(2, EXPIRING) == {("AU1", 1): "pending"}
        assert ends(workbench, 3, EXPIRING, "AU1")[0] == "withdrawn"

    def test_one_that_another_replaced_withdraws_the_task(
        self, workbench: Workbench, authorized: Practice
    ) -> None:
        workbench.run(authorized, 1)
        authorized.add("policies", "PO2", patient_id="A", starts_on="2026-11-03")
        authorized.add("policies", "PO2", created_at="2026-11-02T10:00:00")
        workbench.run(authorized, 2)
        assert ends(workbench, 2, EXPIRING, "AU1") == (
            "withdrawn",
            "PO2",
            "policy PO2 has replaced policy PO1",
        )


class TestRenewals:
    @pytest.fixture
    def renewed(self, workbench: Workbench, authorized: Practice) -> Practice:
        """Day 1 without, day 2 with a renewal from 16 November, and a visit on the 12th."""
        authorized.visit("V2", "A", "2026-11-12T09:00:00", status="Scheduled")
        workbench.run(authorized, 1)
        authorized.add(
            "authorizations",
            "AU2",
            policy_id="PO1",
            case_id="C-A",
            starts_on="2026-11-16",
            ends_on="2027-01-31",
            entered_at="2026-11-02T10:00:00",
        )
        workbench.run(authorized, 2)
        return authorized

    def test_the_visit_between_keeps_the_task(
        self, workbench: Workbench, renewed: Practice
    ) -> None:
        task = workbench.one(2, EXPIRING, "AU1")
        assert (task["status"], task["since"]) == ("pending", "2026-10-27")
        assert task["reason"] == (
            "Authorization A-1 ends on 2026-11-10, the next one starts on 2026-11-16; "
            "no authorization covers the visit on 2026-11-12"
        )

    def test_the_visit_cancelled_withdraws_it(
        self, workbench: Workbench, renewed: Practice
    ) -> None:
        workbench.run(renewed.add("appointments", "V2", status="Cancelled"), 3)
        assert ends(workbench, 3, EXPIRING, "AU1") == (
            "withdrawn",
            "V2",
            "the visit on 2026-11-12 was cancelled; "
            "authorization AU2 covers the visits that follow",
        )

    def test_an_authorization_for_the_visit_clears_it(
        self, workbench: Workbench, renewed: Practice
    ) -> None:
        values = {"policy_id": "PO1", "case_id": "C-A", "entered_at": "2026-11-03T10:00:00"}
        renewed.add("authorizations", "AU3", starts_on="2026-11-11", ends_on="2026-11-15", **values)
        workbench.run(renewed, 3)
        assert ends(workbench, 3, EXPIRING, "AU1") == (
            "cleared",
            "AU3",
            "authorization AU3 entered on 2026-11-03, from 2026-11-11 to 2026-11-15",
        )

    def test_a_visit_booked_into_the_gap_asks_again(
        self, workbench: Workbench, renewed: Practice
    ) -> None:
        workbench.run(renewed.add("appointments", "V2", status="Cancelled"), 3)
        renewed.visit(
            "V3",
            "A",
            "2026-11-13T09:00:00",
            status="Scheduled",
            created_at="2026-11-04T10:00:00",
        )
        workbench.run(renewed, 4)
        assert workbench.one(4, EXPIRING, "AU1", 2)["since"] == "2026-11-04"

    def test_nights_without_news_change_nothing(
        self, workbench: Workbench, renewed: Practice
    ) -> None:
        for day in (3, 9, 10, 11, 12, 14):
            workbench.run(renewed, day)
        events = [event["event"] for event in workbench.history("A", 14)]
        assert events.count("updated") == 1, "the renewal, entered on day 2"
        assert workbench.states(14, EXPIRING) == {("AU1", 1): "pending"}


class TestCounts:
    @pytest.mark.parametrize(
        ("used", "unit", "rule_id", "says"),
        [
            ("8", "", EXPIRING, "Authorization A-1 has 2 of 10 visits left"),
            ("9", "units", EXPIRING, "Authorization A-1 has 1 of 10 units left"),
            ("10", "", LIMIT, "Authorization A-1: 10 of 10 visits used"),
            ("10", "units", LIMIT, "Authorization A-1: 10 of 10 units used"),
        ],
    )
    def test_one_that_grew_without_visits_is_dated_by_the_run_that_saw_it(
        self,
        workbench: Workbench,
        lasting: Practice,
        used: str,
        unit: str,
        rule_id: str,
        says: str,
    ) -> None:
        workbench.run(lasting.add("authorizations", "AU1", limit_unit=unit), 1)
        assert workbench.states(1, rule_id) == {}
        lasting.add("authorizations", "AU1", visits_used=used)
        for day in (2, 3):
            workbench.run(lasting, day)
            task = workbench.one(day, rule_id, "AU1")
            assert (task["since"], task["since_is_inferred"]) == ("2026-11-03", True)
            assert task["reason"] == says

    def test_one_that_the_visits_explain_is_dated_by_the_visit(
        self, workbench: Workbench, lasting: Practice
    ) -> None:
        lasting.add("authorizations", "AU1", visit_limit="3", visits_used="1")
        workbench.run(lasting, 1)
        task = workbench.one(1, EXPIRING, "AU1")
        assert (task["since"], task["since_is_inferred"]) == ("2026-10-20", False)

    def test_used_up_it_goes_from_one_rule_to_the_other(
        self, workbench: Workbench, lasting: Practice
    ) -> None:
        workbench.run(lasting.add("authorizations", "AU1", visits_used="9"), 1)
        workbench.run(lasting.add("authorizations", "AU1", visits_used="10"), 2)
        assert ends(workbench, 2, EXPIRING, "AU1") == (
            "withdrawn",
            "AU1",
            "1 of 10 visits left → 0 of 10 visits left",
        )
        assert workbench.states(2, LIMIT) == {("AU1", 1): "pending"}

    def test_another_threshold_is_said_by_its_name(
        self, workbench: Workbench, lasting: Practice
    ) -> None:
        workbench.run(lasting.add("authorizations", "AU1", visits_used="8"), 1)
        settings = f"[rules.{EXPIRING}]\nvisits_left = 1\n"
        (workbench.data / "settings.toml").write_text(settings, encoding="utf-8")
        workbench.run(lasting, 2)
        assert ends(workbench, 2, EXPIRING, "AU1")[::2] == ("withdrawn", "visits_left 2 → 1")


def test_a_hold_coded_anew_moves_to_the_other_rule(
    workbench: Workbench, practice: Practice
) -> None:
    practice.patient("A").add("claims", "CL1", case_id="C-A")
    practice.add("claim_holds", "H1", claim_id="CL1", held_at="2026-10-20T09:00:00")
    workbench.run(practice, 1)
    workbench.run(practice.add("claim_holds", "H1", reason_code="AUTH-9"), 2)
    assert ends(workbench, 2, "claim_submission_hold", "H1") == (
        "withdrawn",
        "H1",
        "the hold has the code AUTH-9, which is about authorization",
    )
    practice.add("claim_holds", "H1", released_at="2026-11-03T09:00:00")
    workbench.run(practice, 3)
    assert ends(workbench, 3, "authorization_required_documents", "H1") == (
        "cleared",
        "H1",
        "hold released on 2026-11-03",
    )


def test_a_review_in_the_emr_leaves_the_open_task_to_a_person(
    workbench: Workbench, practice: Practice
) -> None:
    practice.patient("A").add(
        "intake_submissions", "I1", patient_id="A", submitted_at="2026-10-30T09:00:00"
    )
    workbench.run(practice, 1)
    practice.add("intake_submissions", "I1", reviewed_at="2026-11-02T09:00:00")
    practice.add(
        "intake_submissions",
        "I2",
        patient_id="A",
        submitted_at="2026-11-02T08:00:00",
        reviewed_at="2026-11-02T09:00:00",
    )
    workbench.run(practice, 2)
    assert workbench.states(2, "intake_complete") == {("I1", 1): "pending"}


def test_extracts_of_an_earlier_version_are_read(workbench: Workbench, lasting: Practice) -> None:
    """The new columns that may be empty are absent from the files."""
    lasting.add("intake_submissions", "I1", patient_id="A", submitted_at="2026-10-30T09:00:00")
    folder = lasting.write(workbench.extracts / "2026-11-02", workbench.day(1))
    for table in ("authorizations", "intake_submissions"):
        path = folder / f"{table}.csv"
        lines = [line.split(",") for line in path.read_text().splitlines()]
        left_out = [
            place
            for place, name in enumerate(lines[0])
            if name in ("limit_unit", "reviewed_at", "number")
        ]
        path.write_text(
            "".join(
                ",".join(value for place, value in enumerate(line) if place not in left_out) + "\n"
                for line in lines
            )
        )
    workbench.run(folder, 1)
    assert workbench.states(1, EXPIRING) == {}
    assert workbench.states(1, "intake_complete") == {("I1", 1): "pending"}
