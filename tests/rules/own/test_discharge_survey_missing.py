"""Discharge Survey Missing: a discharged case, days later, without the survey."""

import pytest

from tests.rules.conftest import after

RULE = "discharge_survey_missing"


def discharged(practice, days=-3):
    on = None if days is None else after(days)
    return practice.patient("A").add("cases", "C-A", discharged_on=on)


def survey(practice, on, kind="Discharge Survey"):
    return practice.add("surveys", "S", case_id="C-A", kind=kind, completed_at=f"{on}T12:00:00")


@pytest.mark.parametrize(("days", "subjects"), [(-2, []), (-3, ["C-A"]), (-300, ["C-A"])])
def test_opens_when_the_days_to_answer_are_over(opens, practice, days, subjects):
    assert opens(RULE, discharged(practice, days)) == subjects


def test_an_open_case_does_not(opens, practice):
    assert opens(RULE, discharged(practice, None)) == []


@pytest.mark.parametrize(
    ("day", "kind", "subjects"),
    [
        (after(-3), "Discharge Survey", []),
        (after(-4), "Discharge Survey", ["C-A"]),
        (after(-3), "MIPS Patient Survey", ["C-A"]),
    ],
)
def test_only_this_survey_since_the_discharge_answers(opens, practice, day, kind, subjects):
    assert opens(RULE, survey(discharged(practice), day, kind)) == subjects


def test_tells_the_discharge(answers, practice):
    row = answers(RULE, discharged(practice))["C-A"]
    assert row["reason"] == f"No Discharge Survey since the discharge on {after(-3)}"
    assert str(row["since"]) == after(0)


def test_a_completed_survey_is_the_evidence(explains, practice):
    earlier = discharged(practice, -5)
    later = survey(discharged(type(practice)(), -5), after(0))
    row = explains(RULE, earlier, later)["C-A"]
    assert (row["is_work"], row["record_table"], row["record_id"]) == (True, "surveys", "S")
    assert row["says"] == f"Discharge Survey completed on {after(0)}"


def test_a_case_that_is_open_again_is_no_work(explains, practice):
    earlier = discharged(practice, -5)
    row = explains(RULE, earlier, discharged(type(practice)(), None))["C-A"]
    assert (row["is_work"], row["says"]) == (False, "the case is open again")
