"""Uncollected Payments: changes that explain nothing, and tasks the run before could not ask of."""

import copy
from decimal import Decimal

import pytest

from tests.rules.conftest import RULES, TODAY, after, noon
from tests.rules.test_uncollected_payments import RULE, claim


@pytest.fixture
def visited(practice):
    """One visit today with $40.00 due."""
    return practice.patient("A").visit("V1", "A", f"{TODAY}T09:00:00", amount_due="40.00")


@pytest.fixture
def why(explains, visited):
    """why(change): the evidence of all that was unpaid yesterday, after `change(practice)`."""

    def ask(change, **params):
        now = copy.deepcopy(visited)
        change(now)
        return explains(RULE, visited, now, days=(TODAY, after(1)), **params)

    return ask


def test_two_visits_of_a_case_are_each_explained_by_their_own_payment(why, visited):
    visited.visit("V2", "A", f"{after(-1)}T09:00:00", amount_due="30.00")

    def pay(now):
        now.payment("P1", "A", TODAY, "40.00").payment("P2", "A", after(-1), "30.00")

    assert {key: (row["says"], row["amount"]) for key, row in why(pay).items()} == {
        "V1": (f"$40.00 paid on {TODAY}, payment P1", Decimal("40.00")),
        "V2": (f"$30.00 paid on {after(-1)}, payment P2", Decimal("30.00")),
    }


def test_the_refund_of_the_later_day_is_told_whatever_its_number(why, visited):
    visited.payment("P1", "A", TODAY, "45.00")
    for key, day in (("9", TODAY), ("10", after(-1))):
        visited.payment(key, "A", TODAY, "5.00", kind="refund", paid_at=f"{day}T13:00:00")
    row = why(lambda now: now.remove("payments", "9").remove("payments", "10"))["V1"]
    assert row["record_id"] == "9"


def test_a_payment_that_was_lowered_is_no_part_of_what_was_paid(why, visited):
    visited.payment("P1", "A", TODAY, "15.00")
    row = why(lambda now: now.add("payments", "P1", amount="10.00").payment(
        "P2", "A", TODAY, "30.00"))["V1"]  # fmt: skip
    assert (row["says"], row["amount"]) == (f"$30.00 paid on {TODAY}, payment P2", Decimal("30.00"))


def test_a_dollar_is_money(why, visited):
    visited.visit("V2", "A", f"{after(-1)}T09:00:00", amount_due="1.00")
    visited.payment("P1", "A", TODAY, "1.00")

    def pay(now):
        now.add("payments", "P1", amount="40.00").payment("P2", "A", after(-1), "1.00")

    assert {key: row["says"] for key, row in why(pay).items()} == {
        "V1": f"payment P1 of {TODAY} corrected from $1.00 to $40.00",
        "V2": f"$1.00 paid on {after(-1)}, payment P2",
    }


def test_a_dollar_is_work_and_goes_before_a_change(why, visited):
    def both(now):
        now.payment("P1", "A", TODAY, "1.00").add("appointments", "V1", amount_due="1.00")

    assert why(both)["V1"]["is_work"] is True


def test_the_claim_of_its_own_date_is_named(why, visited):
    def answer(now):
        claim(now, "CL1", "0.00")
        claim(now, "CL2", "0.00", f"{after(1)}T08:00:00").add(
            "claims", "CL2", date_of_service=after(-1)
        )

    assert why(answer)["V1"]["record_id"] == "CL1"


def test_another_time_of_another_days_visit_is_not_what_changed(why, visited):
    visited.visit("V0", "A", f"{TODAY}T08:00:00", amount_due="5.00")
    visited.visit("V9", "A", f"{after(-1)}T08:00:00")
    visited.payment("P1", "A", TODAY, "45.00").payment(
        "P2", "A", TODAY, "40.00", kind="refund", paid_at=f"{TODAY}T13:00:00"
    )

    def change(now):
        now.remove("payments", "P2").add("appointments", "V9", starts_at=f"{after(-1)}T15:00:00")

    assert why(change)["V1"]["record_id"] == "P2"


def test_a_visit_of_a_dollar_that_moved_is_not_one_that_costs_nothing(why, visited):
    visited.add("appointments", "V1", amount_due="1.00").payment("P1", "A", after(-1), "1.00")
    row = why(lambda now: now.add("appointments", "V1", starts_at=f"{after(-1)}T09:00:00"))["V1"]
    assert row["says"] == f"the visit moved from {TODAY} to {after(-1)}, where nothing is unpaid"


def test_two_other_visits_that_changed_their_time_are_one_reason(why, visited):
    for hour, key in enumerate(("V2", "V3"), start=7):
        visited.visit(key, "A", f"{TODAY}T0{hour}:00:00", amount_due="40.00")
    visited.payment("P1", "A", TODAY, "80.00")

    def later(now):
        for key in ("V2", "V3"):
            now.add("appointments", key, starts_at=f"{TODAY}T15:00:00")

    assert why(later)["V1"]["says"].startswith(f"another visit on {TODAY} changed")


# A tolerance of $40.00 takes the task away; that is left to the engine.


def test_a_refund_of_another_day_that_was_taken_back_explains_nothing(why, visited):
    visited.payment("P1", "A", after(-1), "40.00")
    visited.payment("P2", "A", after(-1), "15.00", kind="refund", paid_at=f"{TODAY}T13:00:00")
    assert why(lambda now: now.remove("payments", "P2"), tolerance=40.0) == {}


def test_a_void_that_took_nothing_back_explains_nothing_when_it_is_gone(why, visited):
    visited.payment("P1", "A", TODAY, "40.00", kind="void")
    assert why(lambda now: now.remove("payments", "P1"), tolerance=40.0) == {}


def test_a_payment_that_was_raised_and_given_back_was_not_taken_back(why, visited):
    visited.payment("P1", "A", TODAY, "15.00")

    def change(now):
        now.add("payments", "P1", amount="20.00")
        now.payment("P2", "A", TODAY, "5.00", kind="refund", paid_at=f"{TODAY}T13:00:00")

    assert why(change, tolerance=40.0) == {}


def test_another_order_of_the_visits_explains_nothing_within_the_tolerance(why, visited):
    visited.visit("V0", "A", f"{TODAY}T08:00:00", amount_due="5.00")
    visited.payment("P1", "A", TODAY, "5.00")
    rows = why(lambda now: now.add("appointments", "V0", starts_at=f"{TODAY}T08:30:00"),
               tolerance=40.0)  # fmt: skip
    assert rows == {}


class TestAfterRunsWithoutAnAnswer:
    """The task is older than what the run before had."""

    @pytest.fixture
    def explained(self, desk, visited):
        """explained(before, amount): the evidence of V1, of which so much was open."""

        def ask(before, amount="40.00", facility_id="F1", **params):
            desk.fill(before, noon(after(2)))
            desk.remember(RULES[RULE])
            desk.fill(visited, noon(after(3)))
            left = {
                "subject_id": "V1",
                "case_id": "C-A",
                "patient_id": "A",
                "facility_id": facility_id,
                "amount": Decimal(amount),
            }
            return desk.explain(RULES[RULE], params, [left], noon(after(1))).get("V1")

        return ask

    def test_a_visit_that_the_run_before_did_not_have_is_explained(self, explained, visited):
        before = copy.deepcopy(visited).remove("appointments", "V1")
        visited.payment("P1", "A", TODAY, "40.00")
        assert explained(before)["says"] == f"$40.00 paid on {TODAY}, payment P1"

    def test_a_facility_that_is_gone_takes_no_evidence_with_it(self, explained, visited):
        visited.payment("P1", "A", TODAY, "40.00")
        row = explained(visited, facility_id="GONE")
        assert row["says"] == f"$40.00 paid on {TODAY}, payment P1"

    def test_an_old_refund_is_no_payment_when_the_tolerance_rises(self, explained, visited):
        visited.payment("P1", "A", TODAY, "40.00")
        visited.payment("P2", "A", TODAY, "15.00", kind="refund", paid_at=f"{TODAY}T13:00:00")
        assert explained(visited, "15.00", tolerance=15.0) is None

    def test_the_later_payment_is_told_whatever_its_number(self, explained, visited):
        visited.payment("9", "A", TODAY, "15.00", paid_at=f"{TODAY}T13:00:00")
        visited.payment("10", "A", TODAY, "25.00")
        assert explained(visited)["record_id"] == "9"

    def test_money_of_another_day_is_not_what_paid_it(self, explained, visited):
        claim(visited, "CL1", "0.00").payment(
            "P1", "A", after(-1), "40.00", paid_at=f"{after(2)}T09:00"
        )
        assert explained(visited)["record_id"] == "CL1"

    def test_what_the_payer_left_explains_a_visit_that_is_new(self, explained, visited):
        claim(visited.visit("V0", "A", f"{TODAY}T08:00:00", amount_due="5.00"), "CL1", "0.00")
        before = copy.deepcopy(visited).remove("appointments", "V1")
        visited.add("appointments", "V0", starts_at=f"{TODAY}T08:30:00")
        assert explained(before)["record_id"] == "CL1"
