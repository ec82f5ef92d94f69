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


@pytest.mark.parametrize(("opened_on", "subjects"), [(after(0), ["C-A"]), (after(1), [])])
def test_the_case_must_have_begun(opens, surveyed, opened_on, subjects):
    assert opens(RULE, surveyed.add("cases", "C-A", opened_on=opened_on)) == subjects


@pytest.mark.parametrize(("discharged_on", "subjects"), [(after(0), []), (after(1), ["C-A"])])
def test_the_case_must_be_open(opens, surveyed, discharged_on, subjects):
    assert opens(RULE, surveyed.add("cases", "C-A", discharged_on=discharged_on)) == subjects


@pytest.mark.parametrize(("days", "subjects"), [(1, ["C-A"]), (2, [])])
def test_the_second_is_asked_for_from_the_days_set(opens, surveyed, days, subjects):
    assert opens(RULE, surveyed, min_days_between=days) == subjects


@pytest.mark.parametrize(
    ("first_on", "since"),
    [("2026-11-01", "2026-11-02"), ("2026-11-02", "2026-11-02"), ("2026-11-03", "2026-11-03")],
)
def test_is_never_dated_before_the_first_survey(answers, surveyed, first_on, since):
    surveyed.add("surveys", "Q1", completed_at=f"{first_on}T09:00:00")
    assert str(answers(RULE, surveyed)["C-A"]["since"]) == since


@pytest.mark.parametrize(
    ("first_on", "since"),
    [("2026-10-11", "2026-11-02"), ("2026-10-12", "2026-11-02"), ("2026-10-13", "2026-11-03")],
)
def test_nor_before_the_day_the_second_is_asked_for(answers, surveyed, first_on, since):
    surveyed.add("surveys", "Q1", completed_at=f"{first_on}T09:00:00")
    row = answers(RULE, surveyed, min_days_between=21)["C-A"]
    assert str(row["since"]) == since
    assert row["reason"] == (
        f"First MIPS Patient Survey on {first_on}, no second one 21 days or more later"
    )


@pytest.mark.parametrize(("days", "subjects"), [(20, ["C-A"]), (21, []), (22, [])])
def test_a_second_survey_counts_from_the_days_set(opens, surveyed, days, subjects):
    surveyed.add("surveys", "Q1", completed_at=f"{after(-40)}T09:00:00")
    surveyed.add("surveys", "Q2", case_id="C-A", completed_at=f"{after(days - 40)}T09:00:00")
    assert opens(RULE, surveyed, min_days_between=21) == subjects


def test_two_surveys_of_one_minute_are_two(opens, surveyed):
    surveyed.add("surveys", "Q2", case_id="C-A", completed_at=f"{after(-1)}T09:00:00")
    assert opens(RULE, surveyed) == []


def test_of_several_the_first_counts(answers, surveyed):
    for days in (0, 3):
        surveyed.add(
            "surveys", f"Q{days}", case_id="C-A", completed_at=f"{after(days - 30)}T09:00:00"
        )
    surveyed.remove("surveys", "Q1")
    row = answers(RULE, surveyed, min_days_between=21)["C-A"]
    assert row["reason"].startswith(f"First MIPS Patient Survey on {after(-30)},")


@pytest.mark.parametrize(
    ("since", "asked"), [("2026-01-05", True), ("2026-01-06", False)], ids=["that day", "later"]
)
def test_a_case_whose_first_survey_may_be_missing_is_not_answered(
    opens, unseen, surveyed, since, asked
):
    surveyed.since = {"surveys": since}
    found = (opens(RULE, surveyed), unseen(RULE, surveyed))
    assert found == ((["C-A"], []) if asked else ([], ["C-A"]))
    assert unseen(RULE, surveyed.add("cases", "C-A", discharged_on=after(-1))) == []
