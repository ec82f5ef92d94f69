"""Unscheduled Patient: where the appointments begin too late to show the last visit."""

import pytest

from tests.rules.conftest import after

RULE = "unscheduled_patient"


@pytest.mark.parametrize(
    ("opened_on", "says", "since"),
    [
        ("2026-11-02", "; no visit yet", "2026-11-02"),
        ("2026-11-01", "; no visit in the days that the data cover", "None"),
    ],
)
def test_no_visit_yet_is_said_of_days_that_the_data_cover(
    answers, practice, opened_on, says, since
):
    practice.patient("A").add("cases", "C-A", opened_on=opened_on)
    practice.since = {"appointments": "2026-11-02"}
    row = answers(RULE, practice)["A"]
    assert f"days{says}; case open since {opened_on}" in row["reason"]
    assert str(row["since"]) == since


def test_a_visit_in_the_data_is_the_last_one(answers, practice):
    practice.patient("A").visit("V1", "A", f"{after(-1)}T09:00:00")
    practice.since = {"appointments": after(-1)}
    row = answers(RULE, practice)["A"]
    assert (f"; last visit on {after(-1)}" in row["reason"], str(row["since"])) == (True, after(-1))


def test_with_all_appointments_the_month_dates_the_gap(answers, practice):
    row = answers(RULE, practice.patient("A"))["A"]
    assert ("; no visit yet" in row["reason"], str(row["since"])) == (True, "2026-11-01")
