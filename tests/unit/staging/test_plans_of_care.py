"""Which plan of care is the first of its case, when it was first treated, and who pays for it."""

import pytest

from tests.rules.conftest import TODAY, after


def plan(practice, key, day, **values):
    row = {"has_plan_of_care": "true", "status": "Completed", "date_of_service": day}
    row |= {"case_id": "C-A", "started_at": f"{day}T09:00:00"}
    return practice.add("documents", key, **{**row, **values})


@pytest.fixture
def plans(staged, practice):
    """plans(column): the column of each plan of patient A, by document."""
    practice.patient("A")
    for kind in ("Medicare", "Commercial", "Self"):
        practice.add("payers", kind, kind=kind)

    def ask(column):
        return {row["document_id"]: row[column] for row in staged("plans_of_care", practice)}

    return ask


def test_only_completed_plans_count(plans, practice):
    plan(practice, "D1", TODAY)
    plan(practice, "D2", TODAY, status="Draft")
    plan(practice, "D3", TODAY, has_plan_of_care="false")
    assert plans("is_initial") == {"D1": True}


@pytest.mark.parametrize(
    ("days", "initial"),
    [
        ({"D1": (0, "09:00"), "D2": (-1, "10:00")}, "D2"),
        ({"D1": (0, "10:00"), "D2": (0, "09:00")}, "D2"),
        ({"D10": (0, "09:00"), "D9": (0, "09:00")}, "D9"),
    ],
)
def test_the_first_of_a_case_is_the_initial_one(plans, practice, days, initial):
    for key, (offset, at) in days.items():
        plan(practice, key, after(offset), started_at=f"{after(offset)}T{at}:00")
    practice.patient("B")
    plan(practice, "E", TODAY, case_id="C-B")
    assert [key for key, is_initial in plans("is_initial").items() if is_initial] == sorted(
        [initial, "E"]
    )


def test_a_signed_order_is_for_the_initial_plan_only(plans, practice):
    plan(practice, "D1", after(-1))
    plan(practice, "D2", TODAY)
    assert plans("is_ordered") == {"D1": False, "D2": False}
    practice.add("cases", "C-A", order_signed_on=after(-2))
    assert plans("is_ordered") == {"D1": True, "D2": False}
    assert {str(day) for day in plans("order_signed_on").values()} == {after(-2)}


def test_the_first_plan_is_treated_from_the_evaluation_on_a_later_one_from_its_visit(
    plans, practice
):
    plan(practice, "D1", after(-6))
    plan(practice, "D2", after(-3))
    for offset in (-9, -5, -3, -1):
        practice.visit(f"V{offset}", "A", f"{after(offset)}T09:00:00")
    practice.visit("cancelled", "A", f"{after(-12)}T09:00:00", status="Cancelled")
    practice.patient("B").visit("B", "B", f"{after(-20)}T09:00:00")
    treated = {key: str(day) for key, day in plans("first_treated_on").items()}
    assert treated == {"D1": after(-9), "D2": after(-3)}


def test_an_evaluation_that_is_on_no_schedule_was_the_first_treatment(plans, practice):
    plan(practice, "D1", after(-6))
    assert {str(day) for day in plans("first_treated_on").values()} == {after(-6)}


def test_a_plan_whose_case_is_missing_is_not_lost(plans, practice):
    plan(practice, "D1", TODAY).tables["cases"].clear()
    assert plans("is_ordered") == {"D1": False}


def policy(practice, key, payer, **values):
    row = {"patient_id": "A", "payer_id": payer, **values}
    return practice.add("policies", key, **row)


@pytest.mark.parametrize(
    ("given", "is_in_force"),
    [
        ({}, True),
        ({"starts_on": TODAY}, True),
        ({"starts_on": after(1)}, False),
        ({"ends_on": TODAY}, True),
        ({"ends_on": after(-1)}, False),
        ({"rank": "2"}, False),
        ({"case_id": "C-A"}, True),
        ({"case_id": "C-A2"}, False),
        ({"patient_id": "B"}, False),
    ],
)
def test_the_payer_is_that_of_the_first_policy_in_force_on_the_plans_day(
    plans, practice, given, is_in_force
):
    practice.patient("B").add("cases", "C-A2", patient_id="A")
    policy(plan(practice, "D1", TODAY), "PO1", "Medicare", **given)
    assert plans("payer_kind") == {"D1": "Medicare" if is_in_force else None}


@pytest.mark.parametrize(
    ("medicare", "other"),
    [
        ({"case_id": "C-A"}, {"starts_on": after(-1)}),
        ({"starts_on": after(-1)}, {"starts_on": after(-2)}),
        ({"starts_on": after(-400)}, {}),
    ],
    ids=["of the case", "later", "with a start"],
)
def test_of_several_policies_the_closest_counts(plans, practice, medicare, other):
    plan(practice, "D1", TODAY)
    policy(practice, "PO1", "Commercial", **other)
    policy(practice, "PO2", "Medicare", **medicare)
    policy(practice, "PO0", "Self", **other)
    assert plans("payer_kind") == {"D1": "Medicare"}


def test_of_equal_policies_the_lower_number_counts(plans, practice):
    plan(practice, "D1", TODAY)
    policy(practice, "10", "Commercial")
    policy(practice, "9", "Medicare")
    assert plans("payer_kind") == {"D1": "Medicare"}
