"""MIPS: a first patient survey and no second, asked every week."""

import pytest

from tests.rules.conftest import after

RULE = "mips"


@pytest.fixture
def surveyed(practice):
    practice.add("staff", "PT").patient("A").add("cases", "C-A", therapist_id="PT")
    return practice.add("surveys", "Q1", case_id="C-A", completed_at=f"{after(-1)}T09:00:00")


@pytest.mark.parametrize(
    ("day", "monday"),
    [("2026-11-02", "2026-11-02"), ("2026-11-08", "2026-11-02"), ("2026-11-09", "2026-11-09")],
)
def test_is_dated_by_the_monday_of_the_week(answers, surveyed, day, monday):
    row = answers(RULE, surveyed, day)["C-A"]
    assert (str(row["since"]), row["staff_id"], row["reason"]) == (
        monday,
        "PT",
        f"First MIPS Patient Survey on {after(-1)}, no second one",
    )


def test_no_survey_no_task(opens, practice):
    assert opens(RULE, practice.patient("A")) == []


def test_a_second_survey_ends_the_need(opens, surveyed):
    assert (
        opens(
            RULE, surveyed.add("surveys", "Q2", case_id="C-A", completed_at=f"{after(0)}T09:00:00")
        )
        == []
    )


def test_surveys_of_another_kind_or_case_do_not_count(opens, surveyed):
    surveyed.add(
        "surveys", "Q2", case_id="C-A", kind="Satisfaction", completed_at=f"{after(0)}T09:00:00"
    )
    surveyed.patient("B").add(
        "surveys", "Q3", case_id="C-B", kind="Satisfaction", completed_at=f"{after(0)}T09:00:00"
    )
    assert opens(RULE, surveyed) == ["C-A"]


@pytest.mark.parametrize(("discharged_on", "subjects"), [(after(0), []), (after(1), ["C-A"])])
def test_the_case_must_be_open(opens, surveyed, discharged_on, subjects):
    assert opens(RULE, surveyed.add("cases", "C-A", discharged_on=discharged_on)) == subjects


@pytest.mark.parametrize(("days", "subjects"), [(1, ["C-A"]), (2, [])])
def test_the_surveys_lie_apart_by_the_days_set(opens, surveyed, days, subjects):
    assert opens(RULE, surveyed, min_days_between=days) == subjects
