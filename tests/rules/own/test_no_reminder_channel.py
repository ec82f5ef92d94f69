"""No Reminder Channel: a patient with an open case and no way of being reminded."""

import pytest

from tests.rules.conftest import after

RULE = "no_reminder_channel"


def treated(practice, days=-7, **values):
    return practice.patient("A", **values).add("cases", "C-A", opened_on=after(days))


@pytest.mark.parametrize(("days", "subjects"), [(-6, []), (-7, ["A"]), (-300, ["A"])])
def test_opens_when_the_desk_had_its_days(opens, practice, days, subjects):
    assert opens(RULE, treated(practice, days)) == subjects


def test_a_patient_with_a_channel_does_not(opens, practice):
    assert opens(RULE, treated(practice, reminder_channel="SMS")) == []


@pytest.mark.parametrize(("days", "subjects"), [(0, []), (1, ["A"])])
def test_a_discharged_case_does_not(opens, practice, days, subjects):
    treated(practice).add("cases", "C-A", discharged_on=after(days))
    assert opens(RULE, practice) == subjects


def test_a_patient_with_two_cases_is_asked_once_about_the_first(answers, practice):
    treated(practice).add("cases", "C-9", patient_id="A", opened_on=after(-7))
    practice.add("cases", "C-10", patient_id="A", opened_on=after(-8))
    assert {row["case_id"] for row in answers(RULE, practice).values()} == {"C-10"}
    practice.add("cases", "C-10", opened_on=after(-7))
    practice.remove("cases", "C-A")
    assert {row["case_id"] for row in answers(RULE, practice).values()} == {"C-9"}
