"""Referral Without Appointment: a referred patient's case, days later, without a visit."""

import pytest

from tests.rules.conftest import after

RULE = "referral_without_appointment"


def referred(practice, days=-2):
    practice.patient("A", status="Referral")
    return practice.add("cases", "C-A", opened_on=after(days), referring_provider="Dr. Grey")


@pytest.mark.parametrize(("days", "subjects"), [(-1, []), (-2, ["C-A"]), (-30, ["C-A"])])
def test_opens_when_the_days_to_book_are_over(opens, practice, days, subjects):
    assert opens(RULE, referred(practice, days)) == subjects


@pytest.mark.parametrize(
    ("status", "subjects"),
    [("Scheduled", []), ("Completed", []), ("No Show", []), ("Cancelled", ["C-A"])],
)
def test_a_visit_answers_unless_it_is_cancelled(opens, practice, status, subjects):
    referred(practice).visit("V", "A", f"{after(5)}T09:00:00", status=status)
    assert opens(RULE, practice) == subjects


def test_the_practice_may_wait_longer(opens, practice):
    assert opens(RULE, referred(practice), days_to_book=3) == []


def test_tells_who_referred_the_patient(answers, practice):
    row = answers(RULE, referred(practice))["C-A"]
    assert row["reason"] == f"Referred on {after(-2)} by Dr. Grey, no visit booked"
    assert str(row["since"]) == after(0)


def test_a_booked_visit_is_the_evidence(explains, practice):
    later = referred(type(practice)(), -4).visit(
        "V", "A", f"{after(5)}T09:00:00", status="Scheduled", created_at=f"{after(0)}T10:00:00"
    )
    row = explains(RULE, referred(practice, -4), later)["C-A"]
    assert (row["is_work"], row["record_id"], str(row["happened_on"])) == (True, "V", after(0))
    assert row["says"] == f"visit booked for {after(5)}, appointment V"
