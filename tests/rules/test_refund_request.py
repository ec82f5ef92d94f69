"""Refund Request: processed claims, 45 quiet days, and more paid than all balances need."""

from decimal import Decimal

import pytest

RULE = "refund_request"


def claim(practice, key, processed_at="2026-09-01T10:00:00", owed="20.00", case_id="C-A", **values):
    return practice.add(
        "claims",
        key,
        case_id=case_id,
        patient_responsibility=owed,
        processed_at=processed_at,
        **{"status": "Processed", "date_of_service": "2026-08-01", **values},
    )


def second_case(practice, patient_id="A"):
    return practice.add("cases", "C-2", patient_id=patient_id)


def pay(practice, key, amount, case_id="C-2", **values):
    """Money of patient A in a case of choice; without a date of service unless it says one."""
    return practice.add(
        "payments",
        key,
        patient_id="A",
        case_id=case_id,
        amount=amount,
        **{"paid_at": "2026-08-02T12:00:00", **values},
    )


def visit(practice, key, due, case_id="C-A", day="2026-08-20", **values):
    return practice.add(
        "appointments",
        key,
        patient_id="A",
        case_id=case_id,
        starts_at=f"{day}T09:00:00",
        amount_due=due,
        **values,
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


def test_a_processed_claim_without_a_responsibility_stops_it(opens, overpaid):
    assert opens(RULE, claim(overpaid, "CL2", owed=None)) == []


@pytest.mark.parametrize("unknown", [{"processed_at": None}, {"owed": None}])
def test_an_unknown_claim_in_another_case_of_the_patient_stops_it(opens, overpaid, unknown):
    assert opens(RULE, claim(second_case(overpaid), "CL2", case_id="C-2", **unknown)) == []


def test_another_patient_s_case_changes_nothing(opens, overpaid):
    overpaid.patient("B")
    claim(overpaid, "CL2", case_id="C-B", processed_at=None)
    visit(overpaid, "V1", "80.00", case_id="C-B").add("appointments", "V1", patient_id="B")
    assert opens(RULE, overpaid) == ["C-A"]


def test_a_paid_insured_visit_and_a_paid_cash_visit_leave_nothing_to_refund(opens, practice):
    practice.patient("A").payment("P1", "A", "2026-08-01", "20.00")
    visit(claim(practice, "CL1", appointment_id="V1"), "V1", "20.00", day="2026-08-01")
    visit(practice, "CASH", "60.00").payment("P2", "A", "2026-08-20", "60.00")
    assert opens(RULE, practice) == []
    # The same on one date.
    visit(practice, "CASH", "60.00", day="2026-08-01").add(
        "payments", "P2", date_of_service="2026-08-01"
    )
    assert opens(RULE, practice) == []


@pytest.mark.parametrize(
    ("due", "amount"), [("4.00", "6.00"), ("9.99", "0.01"), ("10.00", None), ("10.01", None)]
)
def test_gives_back_only_what_no_balance_of_another_case_needs(answers, overpaid, due, amount):
    visit(second_case(overpaid), "V1", due, case_id="C-2")
    row = answers(RULE, overpaid).get("C-A")
    assert (row and row["amount"]) == (amount and Decimal(amount))


def test_says_what_other_cases_owe(answers, overpaid):
    visit(second_case(overpaid), "V1", "4.00", case_id="C-2")
    assert answers(RULE, overpaid)["C-A"]["reason"] == (
        "$30.00 paid, $20.00 owed; claims processed: 1, the last on 2026-09-01; "
        "$4.00 is owed in other cases"
    )


def test_what_the_payer_left_in_another_case_counts_as_owed_there(answers, overpaid):
    claim(second_case(overpaid), "CL2", case_id="C-2", owed="7.00")
    assert {key: row["amount"] for key, row in answers(RULE, overpaid).items()} == {
        "C-A": Decimal("3.00")
    }


def test_two_cases_with_credit_give_back_no_more_than_fits_no_balance(answers, overpaid):
    """C-A has $10.00 and C-2 $30.00 of credit, C-3 owes $25.00: $15.00 in all."""
    pay(claim(second_case(overpaid), "CL2", "2026-09-02T10:00:00", "0", "C-2"), "P2", "30.00")
    overpaid.add("cases", "C-3", patient_id="A")
    visit(overpaid, "V1", "25.00", case_id="C-3")
    assert {key: row["amount"] for key, row in answers(RULE, overpaid).items()} == {
        "C-A": Decimal("10.00"),
        "C-2": Decimal("5.00"),
    }


def test_the_credit_of_a_case_without_claims_is_not_asked_for_in_another(answers, overpaid):
    pay(second_case(overpaid), "P2", "30.00")
    assert {key: row["amount"] for key, row in answers(RULE, overpaid).items()} == {
        "C-A": Decimal("10.00")
    }


def test_money_without_a_date_of_service_is_credit_too(answers, overpaid):
    pay(overpaid, "P2", "5.00", case_id="C-A")
    assert answers(RULE, overpaid)["C-A"]["amount"] == Decimal("15.00")


@pytest.mark.parametrize(
    ("status", "day", "amount"),
    [
        ("Scheduled", "2026-11-20", "10.00"),
        ("Confirmed", "2026-11-03", "10.00"),
        ("Scheduled", "2026-10-20", "10.00"),
        ("Completed", "2026-10-20", "35.00"),
        ("Cancelled", "2026-11-20", "50.00"),
        ("No Show", "2026-10-20", "50.00"),
    ],
)
def test_money_for_a_visit_ahead_is_no_credit(answers, overpaid, status, day, amount):
    visit(overpaid, "V1", "15.00", day=day, status=status)
    overpaid.payment("P2", "A", day, "40.00", paid_at="2026-08-20T10:00:00")
    row = answers(RULE, overpaid)["C-A"]
    assert row["amount"] == Decimal(amount)
    assert ("$40.00 is for visits ahead" in row["reason"]) == (amount == "10.00")


@pytest.mark.parametrize(("due", "amount"), [(None, "10.00"), ("0.00", "50.00")])
def test_money_for_a_visit_without_a_price_is_no_credit(answers, overpaid, due, amount):
    visit(overpaid, "V1", due).payment("P2", "A", "2026-08-20", "40.00")
    assert answers(RULE, overpaid)["C-A"]["amount"] == Decimal(amount)


def test_a_claim_prices_the_visit(answers, overpaid):
    visit(overpaid, "V1", None, day="2026-08-01")
    assert answers(RULE, overpaid)["C-A"]["amount"] == Decimal("10.00")


@pytest.mark.parametrize(
    ("paid_at", "since"),
    [
        ("2026-08-30T10:00:00", "2026-10-16"),
        ("2026-10-16T10:00:00", "2026-10-16"),
        ("2026-10-20T10:00:00", "2026-10-20"),
    ],
)
def test_is_not_due_before_the_patient_had_paid_too_much(answers, overpaid, paid_at, since):
    overpaid.add("payments", "P1", paid_at=paid_at)
    assert str(answers(RULE, overpaid)["C-A"]["since"]) == since


def test_payments_that_meet_what_is_owed_leave_the_day_of_the_credit(answers, overpaid):
    visit(overpaid, "V1", "25.00", day="2026-10-25")
    overpaid.payment("P2", "A", "2026-10-25", "25.00")
    assert str(answers(RULE, overpaid)["C-A"]["since"]) == "2026-10-16"


def test_a_credit_that_was_used_up_between_is_dated_by_the_payment_that_brought_it_back(
    answers, overpaid
):
    visit(overpaid, "V1", "25.00", day="2026-10-20")
    overpaid.payment("P2", "A", "2026-10-20", "25.00", paid_at="2026-10-28T10:00:00")
    assert str(answers(RULE, overpaid)["C-A"]["since"]) == "2026-10-28"


def test_is_not_due_before_the_last_answer_in_another_case(answers, overpaid):
    claim(second_case(overpaid), "CL2", "2026-10-30T10:00:00", "4.00", "C-2")
    row = answers(RULE, overpaid)["C-A"]
    assert (row["amount"], str(row["since"])) == (Decimal("6.00"), "2026-10-30")


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


def test_the_last_claim_of_any_date_starts_the_clock(opens, overpaid):
    claim(overpaid, "CL2", "2026-09-20T10:00:00", "0", date_of_service="2026-07-01")
    assert opens(RULE, overpaid) == []


def test_a_date_with_a_visit_ahead_is_ahead_though_another_visit_was_treated(answers, overpaid):
    visit(overpaid, "V1", None, day="2026-11-03")
    visit(overpaid, "V2", "15.00", day="2026-11-03", status="Confirmed")
    claim(overpaid, "CL2", owed="0", date_of_service="2026-11-03")
    overpaid.payment("P2", "A", "2026-11-03", "40.00", paid_at="2026-08-20T10:00:00")
    assert answers(RULE, overpaid)["C-A"]["amount"] == Decimal("10.00")


class TestMoneyThatIsNoCredit:
    """Two visits on 20 August, one of them without an amount due."""

    @pytest.fixture
    def unpriced(self, overpaid):
        return visit(overpaid, "V1", None)

    def test_is_what_is_left_after_refunds_and_what_the_date_owes(self, answers, unpriced):
        visit(unpriced, "V2", "15.00").payment("P2", "A", "2026-08-20", "40.00")
        unpriced.payment("P3", "A", "2026-08-20", "5.00", kind="refund")
        row = answers(RULE, unpriced)["C-A"]
        assert row["amount"] == Decimal("10.00")
        assert "; $20.00 is for visits ahead or without an amount due" in row["reason"]

    def test_a_refunded_date_that_owes_something_holds_none(self, answers, unpriced):
        visit(unpriced, "V2", "5.00").payment("P2", "A", "2026-08-20", "10.00")
        unpriced.payment("P3", "A", "2026-08-20", "10.00", kind="refund")
        assert answers(RULE, unpriced)["C-A"]["amount"] == Decimal("5.00")

    def test_a_date_paid_to_the_cent_holds_none(self, answers, unpriced):
        visit(unpriced, "V2", "10.00").payment(
            "P2", "A", "2026-08-20", "10.00", paid_at="2026-10-28T10:00:00"
        )
        assert str(answers(RULE, unpriced)["C-A"]["since"]) == "2026-10-28"

    def test_does_not_date_the_credit(self, answers, unpriced):
        visit(unpriced, "V2", "5.00").payment("P2", "A", "2026-08-20", "40.00")
        unpriced.add("payments", "P1", paid_at="2026-10-20T10:00:00")
        assert str(answers(RULE, unpriced)["C-A"]["since"]) == "2026-10-20"

    def test_nor_does_what_its_date_owes(self, answers, unpriced):
        visit(unpriced, "V2", "15.00").payment("P2", "A", "2026-08-20", "40.00")
        assert str(answers(RULE, unpriced)["C-A"]["since"]) == "2026-10-16"

    def test_that_of_another_case_is_named_there_only(self, answers, unpriced):
        visit(second_case(unpriced), "V2", None, case_id="C-2", day="2026-08-21")
        pay(unpriced, "P2", "30.00", date_of_service="2026-08-21")
        row = answers(RULE, unpriced)["C-A"]
        assert (row["amount"], "visits ahead" in row["reason"]) == (Decimal("10.00"), False)


def test_of_two_cases_reviewed_on_one_day_the_first_entered_gives_back_first(answers, practice):
    practice.add("patients", "A")
    for key in ("10", "9"):
        practice.add("cases", key, patient_id="A")
        claim(practice, f"CL{key}", owed="0", case_id=key)
        pay(practice, f"P{key}", "30.00", case_id=key)
    practice.add("cases", "C-3", patient_id="A")
    visit(practice, "V1", "25.00", case_id="C-3")
    assert {key: row["amount"] for key, row in answers(RULE, practice).items()} == {
        "9": Decimal("30.00"),
        "10": Decimal("5.00"),
    }
