"""Which visits of a day something is unpaid for: money goes to them in the order of their start."""

import pytest

from tests.rules.conftest import TODAY, after


@pytest.fixture
def unpaid(staged, practice):
    """unpaid(*columns): the columns as numbers, of each unpaid visit of patient A."""
    practice.patient("A")

    def ask(*columns):
        return {
            row["appointment_id"]: tuple(float(row[column]) for column in columns)
            for row in staged("unpaid_visits", practice)
        }

    return ask


def visit(practice, key, due, at="09:00", **values):
    day = values.pop("day", TODAY)
    return practice.visit(key, "A", f"{day}T{at}:00", amount_due=due, **values)


def test_a_visit_owes_what_is_due_less_what_was_paid(unpaid, practice):
    visit(practice, "V1", "40.00")
    assert unpaid("due", "to_collect", "short", "owed", "unpaid") == {"V1": (40, 40, 40, 40, 40)}
    practice.payment("P1", "A", TODAY, "15.00")
    assert unpaid("due", "to_collect", "short", "owed", "unpaid") == {"V1": (40, 40, 25, 40, 25)}
    practice.payment("P2", "A", TODAY, "5.00", kind="refund", paid_at=f"{TODAY}T13:00:00")
    assert unpaid("short", "owed", "unpaid") == {"V1": (30, 40, 30)}
    practice.payment("P3", "A", TODAY, "30.00", paid_at=f"{TODAY}T14:00:00")
    assert unpaid("short") == {}


def test_money_that_went_back_is_unpaid_again(unpaid, practice):
    visit(practice, "V1", "40.00").payment("P1", "A", TODAY, "40.00")
    assert unpaid("unpaid") == {}
    practice.payment("P2", "A", TODAY, "40.00", kind="refund", paid_at=f"{TODAY}T13:00:00")
    assert unpaid("short", "unpaid") == {"V1": (40, 40)}


def test_one_dollar_is_money(unpaid, practice):
    visit(practice, "V1", "1.00")
    assert unpaid("unpaid") == {"V1": (1,)}


@pytest.mark.parametrize(
    ("paid", "left"),
    [
        ("5.00", {"V1": (20, 15), "V2": (30, 30), "V3": (10, 10)}),
        ("20.00", {"V2": (30, 30), "V3": (10, 10)}),
        ("35.00", {"V2": (30, 15), "V3": (10, 10)}),
        ("55.00", {"V3": (10, 5)}),
        ("60.00", {}),
    ],
)
def test_money_pays_a_days_visits_in_their_order(unpaid, practice, paid, left):
    visit(practice, "V3", "10.00", "11:00")
    visit(practice, "V1", "20.00", "09:00")
    visit(practice, "V2", "30.00", "10:00")
    practice.payment("P1", "A", TODAY, paid)
    assert unpaid("owed", "unpaid") == left


def test_visits_of_one_moment_are_in_the_order_of_their_numbers(unpaid, practice):
    visit(visit(practice, "10", "40.00"), "9", "40.00")
    practice.payment("P1", "A", TODAY, "40.00")
    assert unpaid("unpaid") == {"10": (40,)}


def test_what_the_payer_left_over_is_owed_by_the_first_visits(unpaid, practice):
    visit(visit(practice, "V1", "20.00"), "V2", "30.00", "10:00")
    visit(practice, "V3", "10.00", "11:00")
    practice.add(
        "claims",
        "K",
        case_id="C-A",
        date_of_service=TODAY,
        status="Processed",
        patient_responsibility="35.00",
        processed_at=f"{TODAY}T08:00:00",
    )
    assert unpaid("to_collect", "short", "owed", "unpaid") == {
        "V1": (35, 35, 20, 20),
        "V2": (35, 35, 15, 15),
    }


def test_visits_that_did_not_happen_or_cost_nothing_owe_nothing(unpaid, practice):
    visit(visit(practice, "V1", "40.00", status="Cancelled"), "V2", "0.00", "10:00")
    visit(practice, "V3", "20.00", "11:00")
    assert unpaid("owed", "unpaid") == {"V3": (20, 20)}


def test_each_case_and_day_has_its_own_money(unpaid, practice):
    visit(visit(practice, "V1", "40.00"), "V2", "30.00", day=after(-1))
    practice.patient("B").visit("V3", "B", f"{TODAY}T08:00:00", amount_due="20.00")
    practice.payment("P1", "A", after(-1), "10.00").payment("P2", "B", TODAY, "5.00")
    assert unpaid("unpaid") == {"V1": (40,), "V2": (20,), "V3": (15,)}
