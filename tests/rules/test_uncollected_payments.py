"""Uncollected Payments: money due at a visit that happened, short on its date of service."""

from decimal import Decimal

import pytest

from tests.rules.conftest import TODAY, after

RULE = "uncollected_payments"


@pytest.fixture
def visited(practice):
    """One visit today with $40.00 due."""
    return practice.patient("A").visit("V1", "A", f"{TODAY}T09:00:00", amount_due="40.00")


def test_an_unpaid_visit_opens(answers, visited):
    row = answers(RULE, visited)["V1"]
    assert (str(row["since"]), row["amount"], row["staff_id"]) == (TODAY, Decimal("40.00"), None)


def test_says_what_is_missing(answers, visited):
    assert (
        answers(RULE, visited.payment("P1", "A", TODAY, "15.00"))["V1"]["reason"]
        == f"$25.00 of $40.00 unpaid for the visit on {TODAY}"
    )


@pytest.mark.parametrize(("paid", "subjects"), [("39.99", ["V1"]), ("40.00", []), ("41.00", [])])
def test_the_last_cent_resolves_it(opens, visited, paid, subjects):
    assert opens(RULE, visited.payment("P1", "A", TODAY, paid)) == subjects


@pytest.mark.parametrize(("paid", "subjects"), [("35.00", []), ("34.99", ["V1"])])
def test_a_tolerance_forgives_up_to_itself(opens, visited, paid, subjects):
    assert opens(RULE, visited.payment("P1", "A", TODAY, paid), tolerance=5.0) == subjects


@pytest.mark.parametrize("due", [None, "0.00"])
def test_nothing_due_nothing_opens(opens, visited, due):
    assert opens(RULE, visited.add("appointments", "V1", amount_due=due)) == []


@pytest.mark.parametrize(
    ("status", "day", "subjects"),
    [
        ("Completed", after(-1), ["V1"]),
        ("Arrived", TODAY, ["V1"]),
        ("In Progress", TODAY, ["V1"]),
        ("Arrived", after(-1), []),
        ("Scheduled", TODAY, []),
        ("Confirmed", TODAY, []),
        ("Cancelled", TODAY, []),
        ("No Show", TODAY, []),
    ],
)
def test_the_visit_must_have_happened(opens, visited, status, day, subjects):
    assert (
        opens(RULE, visited.add("appointments", "V1", status=status, starts_at=f"{day}T09:00:00"))
        == subjects
    )


def test_money_of_another_day_case_or_no_day_does_not_count(opens, visited):
    visited.patient("B").payment("P1", "A", after(-1), "40.00").payment("P2", "B", TODAY, "40.00")
    visited.add(
        "payments", "P3", patient_id="A", case_id="C-A", amount="40.00", paid_at=f"{TODAY}T12:00:00"
    )
    assert opens(RULE, visited) == ["V1"]


def test_visits_of_one_day_share_its_money_in_the_order_of_their_start(answers, visited):
    visited.visit("V0", "A", f"{TODAY}T14:00:00", amount_due="30.00").payment(
        "P1", "A", TODAY, "50.00"
    )
    rows = answers(RULE, visited)
    assert {subject: row["amount"] for subject, row in rows.items()} == {"V0": Decimal("20.00")}


def test_visits_at_the_same_time_go_by_id(opens, visited):
    visited.visit("V2", "A", f"{TODAY}T09:00:00", amount_due="40.00").payment(
        "P1", "A", TODAY, "40.00"
    )
    assert opens(RULE, visited) == ["V2"]


def test_a_refund_opens_it_again(answers, visited):
    visited.payment("P1", "A", TODAY, "40.00").payment(
        "P2", "A", TODAY, "10.00", kind="refund", paid_at=f"{TODAY}T13:00:00"
    )
    assert answers(RULE, visited)["V1"]["amount"] == Decimal("10.00")


def test_a_void_after_the_payment_opens_it_again(opens, visited):
    visited.payment("P1", "A", TODAY, "40.00").payment(
        "P2", "A", TODAY, "40.00", kind="void", paid_at=f"{TODAY}T13:00:00"
    )
    assert opens(RULE, visited) == ["V1"]


def test_a_payment_turned_into_a_void_leaves_the_next_one_its_worth(opens, visited):
    visited.payment("P1", "A", TODAY, "40.00", kind="void").payment(
        "P2", "A", TODAY, "40.00", paid_at=f"{TODAY}T13:00:00"
    )
    assert opens(RULE, visited) == []


def test_a_visit_late_in_the_evening_belongs_to_the_clinic_s_day(answers, visited):
    visited.add("appointments", "V1", starts_at="2026-11-03T01:30:00Z").payment(
        "P1", "A", "2026-11-02", "10.00"
    )
    row = answers(RULE, visited)["V1"]
    assert (str(row["since"]), row["amount"]) == ("2026-11-02", Decimal("30.00"))
