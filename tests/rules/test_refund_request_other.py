"""Refund Request: since when a patient has had the credit, and amounts at their limits."""

from decimal import Decimal

import pytest

from tests.rules.test_refund_request import RULE, claim, pay, second_case, visit


@pytest.fixture
def overpaid(practice):
    """$30 paid, $20 owed, processed on 1 September."""
    return claim(practice.patient("A").payment("P1", "A", "2026-08-01", "30.00"), "CL1")


@pytest.fixture
def since(answers):
    """since(practice): the day of C-A's task; it is never before 16 October."""
    return lambda practice: str(answers(RULE, practice)["C-A"]["since"])


def prepay(practice, paid="25.00"):
    """On 20 October $10.00 due, a visit without an amount due, and $25.00 paid."""
    visit(visit(practice, "V8", "10.00", day="2026-10-20"), "V9", None, day="2026-10-20")
    return practice.payment("P9", "A", "2026-10-20", paid)


def test_what_a_prepaid_day_owes_takes_no_credit_away(since, overpaid):
    pay(prepay(overpaid), "P2", "1.00", case_id="C-A", paid_at="2026-10-25T12:00:00")
    assert since(overpaid) == "2026-10-16"


@pytest.mark.parametrize("is_prepaid", [True, False])
def test_what_other_days_owe_is_paid_before_there_is_a_credit(since, overpaid, is_prepaid):
    overpaid.add("payments", "P1", amount="20.00")
    pay(overpaid, "P2", "10.00", case_id="C-A", paid_at="2026-10-25T12:00:00")
    assert since(prepay(overpaid) if is_prepaid else overpaid) == "2026-10-25"


def test_a_dollar_that_is_owed_is_paid_before_there_is_a_credit(since, overpaid):
    claim(overpaid, "CL1", owed="1.00").add("payments", "P1", amount="1.00")
    pay(overpaid, "P2", "5.00", case_id="C-A", paid_at="2026-10-25T12:00:00")
    assert since(overpaid) == "2026-10-25"


def test_a_credit_used_up_before_is_dated_by_its_return(since, overpaid):
    """Without one until 5 August, and from 10 September to 25 October."""
    overpaid.add("payments", "P1", paid_at="2026-08-05T12:00:00")
    visit(overpaid, "V1", "10.00", day="2026-09-10")
    pay(overpaid, "P2", "5.00", case_id="C-A", paid_at="2026-10-25T12:00:00")
    assert since(overpaid) == "2026-10-25"


def test_where_nothing_is_owed_the_first_payment_dates_the_credit(since, overpaid):
    claim(overpaid, "CL1", owed="0.00").add("payments", "P1", paid_at="2026-10-25T12:00:00")
    assert since(overpaid) == "2026-10-25"


@pytest.mark.parametrize(
    ("paid", "says"), [("25.00", "$55.00 paid, $15.00"), ("11.00", "$41.00 paid, $1.00")]
)
def test_prepaid_money_is_named_and_is_not_owed_in_other_cases(answers, overpaid, paid, says):
    all_paid, prepaid = says.split(", ")
    assert answers(RULE, prepay(overpaid, paid))["C-A"]["reason"] == (
        f"{all_paid}, $30.00 owed; claims processed: 1, the last on 2026-09-01; "
        f"{prepaid} is for visits ahead or without an amount due"
    )


@pytest.mark.parametrize(("min_amount", "subjects"), [(9.99, ["C-A"]), (10.00, [])])
def test_the_least_amount_is_of_what_is_not_prepaid(opens, overpaid, min_amount, subjects):
    assert opens(RULE, prepay(overpaid), min_amount=min_amount) == subjects


def test_prepaid_money_pays_no_other_case(answers, overpaid):
    visit(second_case(prepay(overpaid)), "V1", "4.00", case_id="C-2")
    assert answers(RULE, overpaid)["C-A"]["amount"] == Decimal("6.00")


def test_a_credit_of_a_dollar_is_given_back(answers, overpaid):
    assert answers(RULE, claim(overpaid, "CL1", owed="29.00"))["C-A"]["amount"] == Decimal("1.00")


def test_a_case_whose_credit_others_owe_to_the_cent_asks_for_nothing(answers, overpaid):
    """C-A has $10.00 and C-2 $30.00 of credit, C-3 owes $30.00."""
    pay(claim(second_case(overpaid), "CL2", "2026-09-02T10:00:00", "0", "C-2"), "P2", "30.00")
    visit(overpaid.add("cases", "C-3", patient_id="A"), "V1", "30.00", case_id="C-3")
    assert {key: row["amount"] for key, row in answers(RULE, overpaid).items()} == {
        "C-A": Decimal("10.00")
    }


TABLES = ["appointments", "claims", "payments"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    ("day", "asked"), [("2026-01-05", True), ("2026-01-06", False)], ids=["that day", "later"]
)
def test_money_from_before_the_data_may_decide(opens, unseen, overpaid, table, day, asked):
    """The case opened on 5 January."""
    overpaid.since = dict.fromkeys(TABLES, "2025-01-01") | {table: day}
    found = (opens(RULE, overpaid), unseen(RULE, overpaid))
    assert found == ((["C-A"], []) if asked else ([], ["C-A"]))


def test_an_early_case_leaves_all_of_its_patient_unanswered(opens, unseen, overpaid):
    overpaid.add("cases", "C-A2", patient_id="A", opened_on="2025-12-31")
    claim(overpaid.patient("B"), "CLB", case_id="C-B")
    overpaid.since = {"claims": "2026-01-01"}
    assert (opens(RULE, overpaid), unseen(RULE, overpaid)) == ([], ["C-A", "C-A2"])
    overpaid.since = {}
    assert (opens(RULE, overpaid), unseen(RULE, overpaid)) == (["C-A"], [])
