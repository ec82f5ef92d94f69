"""Referral Not Contacted: a referred patient, days later, without a visit ahead or any contact."""

import pytest

from tests.rules.conftest import after

RULE = "referral_not_contacted"


def referred(practice, days=-3):
    practice.patient("A", status="Referral")
    return practice.add("cases", "C-A", opened_on=after(days), referring_provider="Dr. Grey")


def booked(practice, visit, created, status="Scheduled", key="V"):
    return practice.visit(
        key, "A", f"{after(visit)}T09:00:00", status=status, created_at=f"{after(created)}T10:00:00"
    )


def form(practice, day):
    return practice.add(
        "intake_submissions", "I", patient_id="A", submitted_at=f"{after(day)}T20:00:00"
    )


@pytest.mark.parametrize(("days", "subjects"), [(-2, []), (-3, ["C-A"]), (-300, ["C-A"])])
def test_opens_when_the_days_are_over(opens, practice, days, subjects):
    assert opens(RULE, referred(practice, days)) == subjects


def test_the_practice_may_wait_longer(opens, practice):
    assert opens(RULE, referred(practice), days_without_contact=4) == []


@pytest.mark.parametrize(("day", "subjects"), [(-2, []), (-3, ["C-A"])])
def test_an_intake_form_is_a_contact(opens, practice, day, subjects):
    assert opens(RULE, form(referred(practice, -30), day)) == subjects


@pytest.mark.parametrize(
    ("visit", "created", "status", "subjects"),
    [
        (0, -20, "Scheduled", []),
        (20, -20, "Confirmed", []),
        (20, -3, "Cancelled", ["C-A"]),
        (20, -2, "Cancelled", []),
        (-2, -20, "No Show", []),
        (-3, -20, "No Show", ["C-A"]),
        (-2, -20, "Cancelled", ["C-A"]),
    ],
)
def test_a_visit_ahead_or_lately_booked_or_missed_answers(
    opens, practice, visit, created, status, subjects
):
    assert opens(RULE, booked(referred(practice, -30), visit, created, status)) == subjects


def test_what_was_before_the_referral_is_no_contact(answers, practice):
    row = answers(RULE, booked(referred(practice, -5), -60, -70, "Completed"))["C-A"]
    assert row["reason"] == f"Referred on {after(-5)} by Dr. Grey, no contact yet"
    assert str(row["since"]) == after(-2)


@pytest.mark.parametrize(("days", "subjects"), [(0, []), (1, ["C-A"])])
def test_a_discharged_case_does_not_ask(opens, practice, days, subjects):
    referred(practice).add("cases", "C-A", discharged_on=after(days))
    assert opens(RULE, practice) == subjects


def test_tells_the_last_contact(answers, practice):
    row = answers(RULE, form(referred(practice, -30), -10))["C-A"]
    says = f"Referred on {after(-30)} by Dr. Grey, last contact on {after(-10)}"
    assert (row["reason"], str(row["since"])) == (says, after(-7))


def test_the_day_of_a_cancellation_is_not_known(answers, practice):
    row = answers(RULE, booked(referred(practice, -30), -5, -20, "Cancelled"))["C-A"]
    assert row["since"] is None


def test_a_booked_visit_is_the_evidence(explains, practice):
    before = booked(referred(practice, -30), -9, -20, "No Show", "V1")
    later = booked(booked(referred(type(practice)(), -30), -9, -20, "No Show", "V1"), 5, 0)
    row = explains(RULE, before, later)["C-A"]
    assert (row["is_work"], row["record_id"], str(row["happened_on"])) == (True, "V", after(0))
    assert row["says"] == f"visit booked for {after(5)}, appointment V"


def test_a_submitted_form_is_the_evidence(explains, practice):
    later = form(referred(type(practice)(), -30), 0)
    row = explains(RULE, referred(practice, -30), later)["C-A"]
    assert (row["is_work"], row["record_table"]) == (True, "intake_submissions")
    assert row["says"] == f"Intake submitted on {after(0)}"


def test_a_longer_wait_is_no_work(explains, practice):
    earlier = form(referred(practice, -30), -10)
    later = form(referred(type(practice)(), -30), -10)
    assert explains(RULE, earlier, later, days_without_contact=60) == {}
