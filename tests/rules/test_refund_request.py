"""Refund Request: processed claims, 45 quiet days, and more paid than owed."""

from decimal import Decimal

import pytest

RULE = "refund_request"


def claim(practice, key, processed_at="2026-09-01T10:00:00", owed="20.00", case_id="C-A"):
    return practice.add(
        "claims",
        key,
        case_id=case_id,
        status="Processed",
        date_of_service="2026-08-01",
        patient_responsibility=owed,
        processed_at=processed_at,
    )


@pytest.fixture
def overpaid(practice):
    """$30 paid, $20 owed, processed on 1 September."""
    return claim(practice.patient("A").payment("P1", "A", "2026-08-01", "30.00"), "CL1")


@pytest.mark.parametrize(("day", "subjects"), [("2026-10-15", []), ("2026-10-16", ["C-A"])])
def test_waits_the_review_days(opens, overpaid, day, subjects):
    assert opens(RULE, overpaid, day) == subjects


def test_says_what_is_too_much_and_since_when(answers, overpaid):
    row = answers(RULE, overpaid)["C-A"]
    assert (row["amount"], str(row["since"]), row["staff_id"], row["facility_id"]) == (
        Decimal("10.00"),
        "2026-10-16",
        None,
        "F1",
    )
    assert row["reason"] == "$30.00 paid, $20.00 owed; claims processed: 1, the last on 2026-09-01"


def test_one_claim_still_with_the_payer_stops_it(opens, overpaid):
    assert opens(RULE, claim(overpaid, "CL2", processed_at=None)) == []


def test_the_last_claim_starts_the_clock(opens, overpaid):
    assert opens(RULE, claim(overpaid, "CL2", processed_at="2026-09-20T10:00:00", owed="0")) == []


def test_an_empty_responsibility_is_zero(answers, overpaid):
    assert answers(RULE, claim(overpaid, "CL2", owed=None))["C-A"]["amount"] == Decimal("10.00")


@pytest.mark.parametrize(("min_amount", "subjects"), [(9.99, ["C-A"]), (10.00, [])])
def test_more_than_the_least_amount(opens, overpaid, min_amount, subjects):
    assert opens(RULE, overpaid, min_amount=min_amount) == subjects


def test_a_case_without_claims_never_asks(opens, practice):
    assert opens(RULE, practice.patient("A").payment("P1", "A", "2026-01-10", "30.00")) == []


def test_refunds_and_voids_are_taken_off(opens, overpaid):
    overpaid.payment("P2", "A", "2026-08-01", "10.00", kind="refund", paid_at="2026-10-20T10:00:00")
    assert opens(RULE, overpaid) == []


def test_a_void_takes_the_payment_back(opens, overpaid):
    overpaid.payment("P2", "A", "2026-08-01", "30.00", kind="void", paid_at="2026-10-20T10:00:00")
    assert opens(RULE, overpaid) == []
