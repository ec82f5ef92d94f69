"""Uncollected Payments: money owed for a visit that happened, short on its date of service."""

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


@pytest.mark.parametrize(("paid", "subjects"), [("39.00", []), ("38.99", ["V1", "V2"])])
def test_a_tolerance_is_of_the_whole_date(opens, visited, paid, subjects):
    visited.visit("V2", "A", f"{TODAY}T14:00:00", amount_due="4.00")
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
        ("Arrived", after(-1), ["V1"]),
        ("In Progress", after(-1), ["V1"]),
        ("Arrived", after(1), []),
        ("In Progress", after(1), []),
        ("Scheduled", TODAY, []),
        ("Scheduled", after(-1), []),
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


def claim(practice, key, left, processed_at=f"{TODAY}T08:00:00", **values):
    """A claim of case C-A for today that leaves an amount to the patient."""
    return practice.add(
        "claims",
        key,
        case_id="C-A",
        date_of_service=TODAY,
        patient_responsibility=left,
        processed_at=processed_at,
        **values,
    )


@pytest.mark.parametrize(
    ("left", "paid", "unpaid"),
    [
        ("25.00", "25.00", None),
        ("25.00", "24.99", "0.01"),
        ("0.00", "0.00", None),
        ("39.99", "0.00", "39.99"),
        ("40.00", "0.00", "40.00"),
        ("60.00", "0.00", "40.00"),
        ("60.00", "40.00", None),
    ],
)
def test_asks_for_the_lower_of_the_amount_due_and_what_the_payer_left(
    answers, visited, left, paid, unpaid
):
    row = answers(RULE, claim(visited, "CL1", left).payment("P1", "A", TODAY, paid)).get("V1")
    assert (row and row["amount"]) == (unpaid and Decimal(unpaid))


@pytest.mark.parametrize(
    "unknown", [{"left": "25.00", "processed_at": None}, {"left": None}], ids=["open", "no answer"]
)
def test_asks_for_the_amount_due_until_the_payer_has_answered(answers, visited, unknown):
    row = answers(RULE, claim(visited, "CL1", **unknown))["V1"]
    assert row["amount"] == Decimal("40.00")
    assert row["reason"] == f"$40.00 of $40.00 unpaid for the visit on {TODAY}"


def test_says_what_the_payer_left(answers, visited):
    claim(visited, "CL1", "25.00").payment("P1", "A", TODAY, "15.00")
    row = answers(RULE, visited)["V1"]
    assert row["reason"] == (
        f"$10.00 of $25.00 unpaid for the visit on {TODAY}; "
        "the payer left $25.00 of $40.00 to the patient"
    )


@pytest.mark.parametrize(("refunded", "subjects"), [("15.00", []), ("15.01", ["V1"])])
def test_a_refund_of_what_the_payer_did_not_leave_asks_for_nothing(
    opens, visited, refunded, subjects
):
    claim(visited, "CL1", "25.00").payment("P1", "A", TODAY, "40.00")
    visited.payment("P2", "A", TODAY, refunded, kind="refund", paid_at=f"{TODAY}T13:00:00")
    assert opens(RULE, visited) == subjects


def undated(practice, key, amount, kind="payment", case_id="C-A", **values):
    """Money on the account without a date of service."""
    return practice.add(
        "payments",
        key,
        patient_id="A",
        case_id=case_id,
        amount=amount,
        kind=kind,
        **{"paid_at": f"{TODAY}T12:00:00", **values},
    )


def test_says_what_is_on_the_account_without_a_date_of_service(answers, visited):
    undated(visited, "P1", "50.00")
    undated(visited, "P2", "20.00", kind="refund", paid_at=f"{TODAY}T13:00:00")
    assert answers(RULE, visited)["V1"]["reason"] == (
        f"$40.00 of $40.00 unpaid for the visit on {TODAY}; "
        "$30.00 is on the account without a date of service"
    )


def test_says_nothing_of_money_that_was_given_back_or_is_another_case_s(answers, visited):
    undated(visited, "P1", "50.00")
    undated(visited, "P2", "50.00", kind="refund", paid_at=f"{TODAY}T13:00:00")
    visited.add("cases", "C-2", patient_id="A")
    undated(visited, "P3", "30.00", case_id="C-2")
    reason = answers(RULE, visited)["V1"]["reason"]
    assert reason == f"$40.00 of $40.00 unpaid for the visit on {TODAY}"


def test_two_visits_of_a_day_share_what_the_payer_left(answers, visited):
    visited.visit("V0", "A", f"{TODAY}T14:00:00", amount_due="30.00")
    claim(visited, "CL1", "50.00").payment("P1", "A", TODAY, "45.00")
    rows = answers(RULE, visited)
    assert {key: (row["amount"], row["reason"]) for key, row in rows.items()} == {
        "V0": (
            Decimal("5.00"),
            f"$5.00 of $10.00 unpaid for the visit on {TODAY}; "
            "the payer left $50.00 of $70.00 to the patient",
        )
    }


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


def test_numbers_in_ids_compare_as_numbers(opens, practice):
    practice.patient("A").visit("9", "A", f"{TODAY}T09:00:00", amount_due="40.00")
    practice.visit("10", "A", f"{TODAY}T09:00:00", amount_due="40.00")
    assert opens(RULE, practice.payment("P1", "A", TODAY, "40.00")) == ["10"]


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


TABLES = ["appointments", "claims", "payments"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    ("day", "asked"), [(TODAY, True), (after(1), False)], ids=["that day", "later"]
)
def test_what_was_due_or_paid_before_the_data_is_not_answered(
    opens, unseen, visited, table, day, asked
):
    visited.since = dict.fromkeys(TABLES, after(-1)) | {table: day}
    found = (opens(RULE, visited), unseen(RULE, visited))
    assert found == ((["V1"], []) if asked else ([], ["V1"]))


def test_a_visit_without_an_amount_due_is_answered(unseen, visited):
    visited.since = {"payments": after(1)}
    assert unseen(RULE, visited.add("appointments", "V1", amount_due="0.00")) == []
